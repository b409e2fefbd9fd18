//! The script language, test packs and their locks.
