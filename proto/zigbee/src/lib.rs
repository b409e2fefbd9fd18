//! ZigBee Cluster Library framing and Smart Energy clusters.
