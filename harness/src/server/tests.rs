//! Where the server listens.

use super::*;

#[test]
fn only_this_machine_is_answered() {
    for address in ["127.0.0.1:0", "127.8.0.1:9", "[::1]:50051"] {
        assert_eq!(address.parse::<LoopbackAddress>().unwrap().to_string(), address);
    }
    for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
        let error = address.parse::<LoopbackAddress>().unwrap_err();
        assert!(error.to_string().contains("credentials are not built yet"), "{error}");
    }
    assert!(matches!("localhost:1".parse::<LoopbackAddress>(), Err(ListenAddressError::Format(_))));
}
