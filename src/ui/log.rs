//! The log of `-v` and `SHADOW_LOG`: spans of stages and what the library notes, on standard error.

use tracing_subscriber::EnvFilter;

use super::Verbosity;

/// Starts the log where it is wanted: `SHADOW_LOG` is a filter (`shadow=debug`), `-v` is `shadow=info`, `-vv` is
/// `shadow=debug`. Returns whether there is a log.
pub fn start_log(verbosity: Verbosity) -> bool {
    let filter = match (std::env::var("SHADOW_LOG"), verbosity) {
        (Ok(filter), _) if !filter.is_empty() => filter,
        (_, Verbosity::Verbose) => "shadow=info".to_owned(),
        (_, Verbosity::Debug) => "shadow=debug".to_owned(),
        _ => return false,
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .try_init()
        .is_ok()
}
