//! Features, robust scaling, principal components, and the model that a store persists.
