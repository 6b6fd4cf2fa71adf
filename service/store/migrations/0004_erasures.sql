-- Finds the events that say what was erased, which are few, without reading all.
create index event_erasures on event (partition, position) where type = 'tenure.erased';
