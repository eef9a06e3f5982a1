//! The `alibaba-2018` format: containers on a grid of 10 s, batch tasks with their instances, and machines.
//!
//! Workloads that work towards an end are batch jobs, the others containers. As in the real trace, container series
//! begin a day after the trace, machine series with it.

mod batch;
mod containers;
mod machines;

use std::io;

use super::chance::{Chance, Purpose};
use super::decimal::Decimal;
use super::fleet::Fleet;
use super::output::Output;
use super::truth::Truth;

/// When container series and batch jobs begin, in seconds of the trace.
const BEGIN_SECONDS: i64 = 86_400;
/// Seconds between points of the whole grid.
const GRID_SECONDS: i64 = 10;

/// Writes the six tables and the truth.
pub(super) fn write(fleet: &Fleet, output: &mut Output<'_>) -> io::Result<()> {
    let mut truth = Truth::create(output)?;
    let machines = (fleet.workloads / 16).max(4);
    machines::write(fleet, machines, output)?;
    containers::write(fleet, machines, &mut truth, output)?;
    batch::write(fleet, machines, &mut truth, output)?;
    truth.finish()
}

/// Returns the number of the machine that a workload runs on.
fn machine_of(fleet: &Fleet, machines: u64, number: u64) -> u64 {
    1 + Chance::new(fleet.seed, Purpose::Machine, number).below(machines)
}

/// Appends a cell, or nothing where there is none, and a comma.
fn push_cell(line: &mut Vec<u8>, cell: Option<Decimal>) {
    if let Some(cell) = cell {
        cell.push(line);
    }
    line.push(b',');
}

/// Ends a line of which every cell was followed by a comma.
fn end_line(line: &mut Vec<u8>) {
    line.pop();
    line.push(b'\n');
}

/// Returns the numbers from 1 to `most` in the order of their decimal text: 1, 10, 100, 11, 2.
fn lexicographic(most: u64) -> impl Iterator<Item = u64> {
    let mut next = 1;
    (0..most).map(move |_| {
        let number = next;
        if number * 10 <= most {
            next = number * 10;
        } else {
            let mut stem = number;
            while stem % 10 == 9 || stem + 1 > most {
                stem /= 10;
            }
            next = stem + 1;
        }
        number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_the_order_of_their_text() {
        for most in [1, 9, 10, 11, 100, 137, 1205] {
            let mut expected: Vec<u64> = (1..=most).collect();
            expected.sort_by_key(u64::to_string);
            assert_eq!(lexicographic(most).collect::<Vec<u64>>(), expected, "{most}");
        }
    }
}
