//! Words: one tokenizer for the index and for what people look for.
