//! DUIS and MMC messages with their XML signatures.
