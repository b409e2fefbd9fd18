//! DLMS/COSEM, HDLC, wrapper and IEC 62056-21 sign-on as sans-I/O state machines.
