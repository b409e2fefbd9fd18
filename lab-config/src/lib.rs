//! Labs, rigs, links, Device Models and Device Model Combinations, parsed once.
