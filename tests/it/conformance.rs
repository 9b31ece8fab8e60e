//! What every store must do: each method of each trait, each sentence of their documentation.

mod append;
mod make;
