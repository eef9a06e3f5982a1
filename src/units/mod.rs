//! Exact quantities: integers inside, one named conversion with a stated rounding at each border to floating point.
//!
//! Input: text typed by a user or found in a manifest, and measured floating-point values. Output: values that are
//! always right, printed in one canonical form. Nothing here knows a trace.

mod bytes;
mod cores;
mod date;
mod quantity;
mod time;

pub use bytes::{Bytes, BytesPerSecond};
pub use cores::Cores;
pub use quantity::{Quantity, QuantityError};
pub use time::Micros;

/// Why a text or number is not a quantity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// The text does not follow the grammar; `expected` shows a right one.
    #[error("`{text}` is not {what}: expected {expected}")]
    Malformed {
        /// What was found.
        text: String,
        /// What it should have been, with its article ("a size").
        what: &'static str,
        /// An example of the right form.
        expected: &'static str,
    },
    /// The number is negative, not finite, or larger than the unit can hold.
    #[error("`{value}` is outside what {what} can hold")]
    OutOfRange {
        /// The number as found.
        value: String,
        /// The unit, with its article ("a number of cores").
        what: &'static str,
    },
}
