//! Arguments of `shadow instances`, and of every command that chooses a machine.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::units::{Bytes, Cores};

use super::complete;
use super::values::{cores, headroom, size};

const EXAMPLES: &str = "\
Examples:
  What Azure rents out on Arm:
    shadow instances --provider azure --arch arm64

  The cheapest nodes for six replicas of 1.5 cores and 3 GiB:
    shadow instances --cpu 1500m --memory 3GiB --replicas 6

  The same from machines of your own:
    shadow instances --catalog racks.csv --reserve nothing --cpu 1500m --memory 3GiB";

/// Lists machines to rent, or ranks them for a need
///
/// Without `--cpu` and `--memory` it lists the catalogue: current general, compute and memory families of AWS, Google
/// Cloud and Azure, with the price of an hour on demand and the day and source of that price. With them it ranks: what
/// the system and the kubelet keep for themselves is taken off each machine, `--headroom` too, then as many replicas as
/// fit are packed on each, and the cheapest number of machines of one type wins; every other family is shown with its
/// best type. Exit code 4 when nothing that the filters allow holds a replica.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Instances {
    /// CPU of one replica, as in `1500m` or `2`
    #[arg(long, value_name = "CORES", value_parser = cores, requires = "memory")]
    pub cpu: Option<Cores>,

    /// Memory of one replica, as in `3GiB`
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "cpu")]
    pub memory: Option<Bytes>,

    /// Network of one replica per second, as in `25MB`; checked where the catalogue knows a machine's
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "cpu")]
    pub network: Option<Bytes>,

    /// What to choose from, and how.
    #[command(flatten)]
    pub choice: MachineChoice,

    /// Form of the answer
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: InstancesForm,
}

/// What a machine must be, and what stays free on it.
#[derive(Debug, Clone, Args)]
pub struct MachineChoice {
    /// Replicas to place
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Machines")]
    pub replicas: NonZeroU32,

    /// Catalogue to use instead of the built-in one: CSV as `shadow instances -o csv` prints it; provider, name, vCPU and
    /// memory are needed, family, category, architecture, network, price and its source are used where they are there
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, add = complete::inputs(), help_heading = "Machines")]
    pub catalog: Option<PathBuf>,

    /// Only from these providers, with commas [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Machines")]
    pub provider: Vec<ProviderChoice>,

    /// Only these families, with commas, as in `m7i,c7i`
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Machines")]
    pub family: Vec<String>,

    /// Only families made for this, with commas; burstable ones only if named
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Machines")]
    pub category: Vec<CategoryChoice>,

    /// Instruction set; an image for one does not run on the other, so `any` is for workloads built for both
    #[arg(long, value_name = "NAME", default_value = "amd64", help_heading = "Machines")]
    pub arch: ArchitectureChoice,

    /// Share of what pods can use that stays free: for the operating system and for agents on every node
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = headroom, help_heading = "Machines")]
    pub headroom: u16,

    /// What else runs on a machine: the kubelet and system of the provider's Kubernetes service, or nothing [default:
    /// kubernetes; nothing for `-o terraform-aws`, `terraform-gcp` and `terraform-azure`]
    #[arg(long, value_name = "NAME", help_heading = "Machines")]
    pub reserve: Option<ReserveChoice>,

    /// How many choices to show, one per family
    #[arg(long, value_name = "N", default_value = "5", help_heading = "Machines")]
    pub show: NonZeroU32,
}

/// Who rents machines out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProviderChoice {
    /// Amazon EC2
    Aws,
    /// Google Compute Engine
    Gcp,
    /// Microsoft Azure
    Azure,
    /// Any other name, from a catalogue of your own
    Other,
}

/// What a family is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CategoryChoice {
    /// About 4 GiB per vCPU
    General,
    /// 2 GiB per vCPU or less
    Compute,
    /// 8 GiB per vCPU or more
    Memory,
    /// Shares of a vCPU with credits
    Burstable,
}

/// Instruction sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArchitectureChoice {
    /// 64-bit x86
    Amd64,
    /// 64-bit Arm
    Arm64,
    /// Both
    Any,
}

/// What else runs on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReserveChoice {
    /// A node of the provider's Kubernetes service: its published reservations are taken off
    Kubernetes,
    /// Nothing: the workload has the machine to itself
    Nothing,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InstancesForm {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets; a listing is a catalogue that `--catalog` reads
    Csv,
}
