//! Kubernetes resource quantities: parsed exactly, printed in the API server's canonical form.

/// A quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a quantity")]
pub struct QuantityError;
