//! Who may control a device, as its S1SP holds it: 6.15.1, 6.21, 6.23 and 6.24.1 against simulated devices, whose supply and
//! alerts show whether it matters.

use harness::s1sp::S1spAlertMessage;
use lab_config::DeviceKind::{Esme, Gsme};
use proto_duis::{Eui64, Srv};

use super::bench::{Bench, text};

const HANDOVER: Srv = Srv::RequestHandoverOfDCCControlledDevice;

/// The fields of a handover to the bench's user.
fn handover([own, root]: &[String; 2]) -> [(&str, &str); 4] {
    [
        ("RemotePartyRole", "Supplier"),
        ("DigitalSigningCertificate", own),
        ("Certificate[1]", root),
        ("ApplyTimeBasedCPVChecks", "true"),
    ]
}

async fn addressee_of_next_alert(bench: &mut Bench) -> Eui64 {
    bench.hand(Esme).tamper().expect("a cover to open");
    loop {
        if let S1spAlertMessage::Device(alert) = bench.alert().await {
            return alert.content().user;
        }
    }
}

#[tokio::test]
async fn a_meter_migrated_dormant_is_controlled_by_nobody_until_it_is_handed_over() {
    let mut bench = Bench::start().await;
    let certificates = bench.certificates();
    bench.ask(Esme, Srv::ArmSupply, &[]).await;
    bench.s1sp.hold_for_the_dcc();
    let (code, words) = bench.refused(Esme, Srv::EnableSupply, &[]).await;
    assert_eq!(code, 4005, "{words}");
    bench.ask(Esme, Srv::ReadSupplyStatus, &[]).await;
    assert_ne!(addressee_of_next_alert(&mut bench).await, bench.user_id);
    let answer = bench.ask(Esme, HANDOVER, &handover(&certificates)).await;
    let new = text(&answer, "ExecutionOutcome.ReplacementOutcome.NewRemotePartyID");
    assert_eq!(new, bench.user_id.to_string());
    bench.ask(Esme, Srv::EnableSupply, &[]).await;
    assert_eq!(addressee_of_next_alert(&mut bench).await, bench.user_id);
    // The gas meter was not handed over with it.
    assert_eq!(bench.refused(Gsme, Srv::DisableSupply, &[]).await.0, 4005);
    assert_eq!(bench.refused(Esme, HANDOVER, &handover(&certificates)).await.0, 4005);
}

#[tokio::test]
async fn what_is_held_for_a_device_is_read_without_it() {
    let bench = Bench::start().await;
    let fields = [("RemotePartyRole[1]", "Supplier"), ("RemotePartyRole[2]", "NetworkOperator")];
    let answer = bench.ask(Gsme, Srv::RetrieveDeviceSecurityCredentialsKRP, &fields).await;
    assert_eq!(text(&answer, "RemotePartyDetails[0].ExistingRemotePartyID"), bench.user_id.to_string());
    assert_eq!(answer.find("RemotePartyDetails[1].ExistingRemotePartyID").expect("a path"), None);
    let [_, root] = bench.certificates();
    // The key of a root is not for the signatures of a user.
    let roots = [root.clone(), root];
    let fields = handover(&roots);
    let (code, words) = bench.refused(Gsme, Srv::UpdateSecurityCredentialsKRP, &fields).await;
    assert_eq!((code, words.contains("its key is not for that")), (4006, true), "{words}");
}
