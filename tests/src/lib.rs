//! The whole system end to end, against peers, under faults.
