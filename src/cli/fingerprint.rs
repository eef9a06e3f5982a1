//! Arguments of `shadow fingerprint`.

use clap::Args;

use crate::predict::ResourceWeights;
use crate::units::Micros;

use super::values::{Components, weights};

const EXAMPLES: &str = "\
Examples:
  One index for answers after 60 seconds, the default:
    shadow fingerprint

  Three, for answers after a minute, five minutes and an hour:
    shadow fingerprint --window 60s,5m,1h

  After more traces came into the store, without a new fit:
    shadow fingerprint --add

  Memory counts twice as much as CPU in what is called similar:
    shadow fingerprint --weights memory=2,cpu=1";

/// Fits and indexes the fingerprints of the stored workloads
///
/// Profiles every workload in the store over its first window and over its whole life, fits scaling and principal
/// components, and builds the search tree: one index per learning window, in the store's folder `index`. Run it again
/// after `shadow ingest`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Fingerprint {
    /// Learning windows, with commas: how much of a newcomer will have been seen
    #[arg(long, value_name = "W", value_delimiter = ',', default_value = "60s")]
    pub window: Vec<Micros>,

    /// Principal components of a fingerprint
    #[arg(long, value_name = "N|auto", default_value = "auto")]
    pub components: Components,

    /// Weights of resources: cpu, memory, network, disk and facts (what is known at submission); 1 each by default
    #[arg(long, value_name = "LIST", value_parser = weights)]
    pub weights: Option<ResourceWeights>,

    /// Add what is new in the store to the index without fitting it anew: fingerprints, trees and margins stay those of the fit. Says when the
    /// new workloads differ so much that a new fit is better
    #[arg(long, conflicts_with_all = ["components", "weights"])]
    pub add: bool,
}
