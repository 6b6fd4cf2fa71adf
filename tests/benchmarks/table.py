"""The benches there are: those that have goals, and tools for who works on one part."""

from tests.benchmarks import (
    append,
    cold,
    fold,
    growth,
    ingest,
    ingest_mixed,
    latency,
    project,
    prove,
    push,
    rebuild,
    timeline,
)

BENCHES = {
    each.BENCH.name: each.BENCH
    for each in (ingest, latency, ingest_mixed, project, rebuild, growth, push, timeline, cold, append, fold, prove)
}
