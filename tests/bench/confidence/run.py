#!/usr/bin/env python3
"""How often is a need above its allocation, and outside its interval, by the confidence of the answer?

    tests/bench/confidence/run.py PATH/OF/shadow DATA

DATA holds `containers-2s`. Each task is left out of the store once with a fifth of all (recurring) and once with all of its type
(unseen), and predicted from its first minute. Prints the table of docs/integration.md ("Why a confidence of 0.1"); some ten
minutes in the dev profile.
"""
import csv
import gzip
import json
import pathlib
import random
import subprocess
import sys
import tempfile

WINDOW_SECONDS = 60
COVERAGE = 0.95
EDGES = [(0, 1e-9), (1e-9, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 2), (0, 0.1), (0.1, 2)]


def read(folder):
    """Returns rows (time, cores, bytes) and facts by task."""
    facts = {}
    with gzip.open(folder / "tasks.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            facts[row["id"]] = (row["task"], row["requested_cpus"], row["requested_mem_bytes"], float(row["start_unix_s"]))
    series = {}
    with gzip.open(folder / "series.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["id"] in facts:
                cores, memory = float(row["cpu_pct_of_one_core"]) / 100, float(row["mem_mib"]) * 2**20
                at = facts[row["id"]][3] + float(row["t_s"])
                series.setdefault(row["id"], []).append((at, max(cores, 0), max(memory, 0)))
    return {task: sorted(rows) for task, rows in series.items()}, facts


def folds(series, facts):
    """Yields the split and the tasks that are left out together."""
    chance = random.Random(1)
    tasks = sorted(series)
    chance.shuffle(tasks)
    for fold in range(5):
        yield "recurring", set(tasks[fold::5])
    for kind in sorted({facts[task][0] for task in tasks}):
        yield "unseen", {task for task in tasks if facts[task][0] == kind}


def write(folder, name, tasks, series, facts, seconds=None):
    with open(folder / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["workload", "time_s", "interval_s", "cpu_cores", "memory_bytes"])
        for task in tasks:
            first = series[task][0][0]
            writer.writerows([task, at, 2, cpu, memory] for at, cpu, memory in series[task] if seconds is None or at - first < seconds)
    with open(folder / f"{name}-facts.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["workload", "start_s", "application", "requested_cpu_cores", "requested_memory_bytes"])
        writer.writerows([task, series[task][0][0], *facts[task][:3]] for task in tasks)


def answers(shadow, series, facts):
    """Yields split, confidence, need, allocation and interval of each answer."""
    for split, held in folds(series, facts):
        asked = [task for task in sorted(held) if series[task][-1][0] - series[task][0][0] >= WINDOW_SECONDS]
        if not asked:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write(folder, "stored", sorted(set(series) - held), series, facts)
            write(folder, "new", asked, series, facts, WINDOW_SECONDS)

            def run(*arguments):
                command = [shadow, "-q", "--store", folder / "store", *arguments]
                return subprocess.run(command, check=True, capture_output=True, text=True).stdout

            run("ingest", folder / "stored.csv", "--workloads", folder / "stored-facts.csv", "--format", "table")
            run("fingerprint", "--window", f"{WINDOW_SECONDS}s")
            new = folder / "new.csv", "--workloads", folder / "new-facts.csv"
            for line in run("predict", *new, "--coverage", str(COVERAGE), "-o", "jsonl").splitlines():
                answer = json.loads(line)
                allocation, interval = answer["allocation"]["memory_bytes"], answer["interval"]["memory_bytes"]
                if allocation is not None and interval:
                    need = max(memory for _, _, memory in series[answer["workload"]])
                    yield split, answer["confidence"], need, allocation, interval


def main():
    series, facts = read(pathlib.Path(sys.argv[2]) / "containers-2s")
    found = list(answers(sys.argv[1], series, facts))
    for split in "recurring", "unseen":
        for low, high in EDGES:
            rows = [row for row in found if row[0] == split and low <= row[1] < high]
            if rows:
                above = sum(need > allocation for _, _, need, allocation, _ in rows) / len(rows)
                outside = sum(not ends[0] <= need <= ends[1] for _, _, need, _, ends in rows) / len(rows)
                print(f"{split:9} {low:5.2f}..{min(high, 1):4.2f} {len(rows):5} tasks, above {above:6.1%}, outside {outside:6.1%}")


if __name__ == "__main__":
    main()
