//! A panic is a bug: it is reported as one, in the manner of all other messages.

use std::io::Write;

/// Installs the report of panics.
pub fn install_panic_report() {
    std::panic::set_hook(Box::new(|information| {
        // What readers of damaged Parquet do is caught, and reported as an error of the file.
        if crate::trace::guard::is_guarded() {
            return;
        }
        let payload = information.payload();
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without a message");
        let place = information.location().map_or_else(String::new, |place| format!("\n  at {place}"));
        let mut err = std::io::stderr().lock();
        // Nobody is left to tell when standard error is closed.
        drop(writeln!(
            err,
            "internal error: {}{place}\nhint: this is a bug: please report it with this message and what `shadow --version` prints",
            super::text::safe_lines(message)
        ));
    }));
}
