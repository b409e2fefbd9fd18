//! How files reach parties and come from them.

pub mod door;
