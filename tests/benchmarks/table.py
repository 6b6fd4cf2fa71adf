"""The benches there are."""

from tests.benchmarks import append, fold, ingest, project, prove, rebuild

BENCHES = {
    bench.name: bench for bench in (append.BENCH, fold.BENCH, project.BENCH, ingest.BENCH, prove.BENCH, rebuild.BENCH)
}
