//! Which variants this S1SP carries out, for those who plan what to test.

use proto_duis::Srv;

/// Whether this S1SP carries a variant out, on devices whose Device Model has what it needs: every variant that a device is
/// sent. What only the DCC answers never comes to it.
pub fn carries_out(srv: Srv) -> bool {
    !srv.is_for_the_dcc()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to be carried out has an arm in the dispatch, or in the store of credentials, which are the S1SP's own to
    /// hold. That each does what it should is for the tests that ask the S1SP.
    #[test]
    fn it_says_what_the_dispatch_does() {
        let (_, arms) = include_str!("mod.rs").split_once("match body {").expect("the dispatch");
        let (arms, _) = arms.split_once("other =>").expect("its last arm");
        let held = include_str!("../credentials/mod.rs");
        for srv in Srv::ALL {
            let arm = format!("RequestBody::{}(", srv.body_element());
            let carried = arms.contains(&arm) || held.contains(&arm);
            assert_eq!(carries_out(*srv), carried, "{srv} {}: bring `carries_out` up to date", srv.name());
        }
    }
}
