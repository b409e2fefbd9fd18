//! What an engineer does by the page at the control listener, what the page shows of it, and what is recorded.

use lab_tests::steered::{RIGS, apart};
use proto_lab::record::book::LabEvent;
use proto_lab::record::{Body, Case, Deed, Record, Verdict};
use tokio::runtime::{Builder, Runtime};

use crate::bench::{Bench, attempts, deeds};
use crate::browser::Browser;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap()
}

/// Asks for a run of the pack by the form of the lab's page, and opens the run's page; gives its name.
fn ask_for_a_run(browser: &mut Browser, bench: &Bench, rig: &str) -> String {
    browser.open(&format!("{}/", bench.control));
    browser.until(&format!("document.querySelector('#join-rig option[value={rig:?}]') !== null"));
    browser.eval("document.querySelector('details.join').open = true");
    browser.fill("join-rig", rig);
    browser.fill("join-packs", &bench.pack());
    browser.push("Join the queue");
    browser.until_says("acted", "It waits for its rig, recorded in the lab book as");
    browser.until(&format!("document.querySelector('#rigs [aria-label={rig:?}] a') !== null"));
    browser.eval(&format!("document.querySelector('#rigs [aria-label={rig:?}] a').click()"));
    browser.until("document.getElementById('steering') !== null");
    browser.eval("location.pathname.split('/')[2]").as_str().unwrap().to_owned()
}

/// Shows a script in the page of a run.
fn show(browser: &mut Browser, script: &str) {
    let row = format!("document.querySelector('#cases [data-name=\"steered/{script}@ESME\"] button')");
    browser.until(&format!("{row} !== null"));
    browser.eval(&format!("{row}.click()"));
    browser.until_says("script-title", script);
}

fn case(script: &str) -> Case {
    Case { pack: "steered".into(), script: script.into(), row: None, device: Some("ESME".into()) }
}

fn events(records: &[Record]) -> Vec<LabEvent> {
    let event = |record: &Record| match &record.body {
        Body::Lab(event) => Some((**event).clone()),
        _ => None,
    };
    records.iter().filter_map(event).collect()
}

#[test]
fn an_engineer_pauses_resumes_aborts_and_runs_again_by_the_page() {
    if !apart("engineer::an_engineer_pauses_resumes_aborts_and_runs_again_by_the_page") {
        return;
    }
    runtime().block_on(async {
        let mut bench = Bench::start().await;
        let mut browser = Browser::start();
        let first = ask_for_a_run(&mut browser, &bench, RIGS[0]);
        bench.hand.until_asked(1).await;
        browser.until_says("steering", "It runs. Ann asked for it.");
        browser.until_there_is("region", "Control");
        assert!(!browser.buttons().contains(&"Resume".to_owned()));

        // While a step is under way it can only be going to pause; its end is the boundary.
        browser.push("Pause");
        browser.until_says("acted", "It will pause before its next step, recorded in the lab book as");
        browser.until_says("steering", "It will pause before its next step: Ann asked for that.");
        bench.hand.answer("no");
        browser.until_says("steering", "PAUSED by Ann at a step boundary, since");
        browser.until_says("run-state", "paused by Ann");
        browser.until_there_is("status", "");
        browser.until_there_is("button", "Resume");
        assert!(!browser.buttons().contains(&"Pause".to_owned()));
        // Whoever watches sees it too, by the run's own records.
        let mut witness = Browser::start();
        witness.open(&format!("{}/runs/{first}/", bench.watch));
        witness.until_says("run-state", "paused by Ann");
        witness.until_says("events", "Ann (engineer): paused the run");
        assert_eq!(witness.eval("document.getElementById('control').hidden"), true);

        // The script that failed is run again, behind those that are still to come.
        browser.push("Resume");
        browser.until_says("acted", "It goes on, recorded");
        show(&mut browser, "gate");
        browser.until_says("script-line", "fail");
        browser.push("Run this script again");
        browser.until_says("acted", "steered/gate@ESME will be run again, every attempt before is kept");
        bench.hand.until_asked(2).await;
        bench.hand.answer("yes");
        browser.until_says("evidence-line", "The run is complete");
        browser.until_says("steering", "It has ended, and is steered no more.");
        show(&mut browser, "gate");
        browser.until_says("attempts", "Attempt 1 ✗ fail");
        browser.until_says("attempts", "Attempt 2 ✓ pass");
        browser.until_says("script-line", "pass");
        browser.until_there_is("group", "Attempts");
        browser.push("Attempt 1 ✗ fail");
        browser.until_says("steps", "act.answer");
        browser.until_says("script-line", "fail");
        browser.until_says("events", "Ann (engineer): had a script run again of steered/gate@ESME");

        let second = ask_for_a_run(&mut browser, &bench, RIGS[1]);
        bench.hand.until_asked(3).await;
        browser.push("Abort…");
        browser.until_there_is("dialog", "Abort this run?");
        browser.push("Cancel");
        browser.until("document.querySelector('dialog') === null");
        browser.push("Abort…");
        browser.because("the meter smokes");
        browser.until_says("acted", "It is being aborted, recorded");
        browser.until_says("evidence-line", "The run is complete");
        browser.until_says("run-state", "aborted");
        browser.until_says("events", "Ann (engineer): aborted the run: the meter smokes");
        browser.until_says("events", "The rig is in its safe state");
        // The evidence is complete a moment before the controller lets go of the rig.
        browser.until_says("steering", "It has ended, and is steered no more.");
        assert_eq!(
            browser.buttons().iter().filter(|name| ["Pause", "Resume", "Abort…"].contains(&&***name)).count(),
            0
        );
        for mut each in [browser, witness] {
            assert_eq!(each.errors(), Vec::<String>::new());
        }

        let book = bench.close().await;
        let records = bench.records(&first);
        let ann = |deed| ("Ann (engineer)".to_owned(), deed);
        let again = Deed::Rerun { case: case("gate") };
        assert_eq!(deeds(&records), [ann(Deed::Pause {}), ann(Deed::Resume {}), ann(again)]);
        let of = |script: &str, verdicts: &[Verdict]| (script.to_owned(), verdicts.to_vec());
        let pass = [Verdict::Pass];
        let gate = [Verdict::Fail, Verdict::Pass];
        assert_eq!(attempts(&records), [of("first", &pass), of("gate", &gate), of("last", &pass)]);
        let aborted = Deed::Abort { reason: "the meter smokes".into() };
        assert_eq!(deeds(&bench.records(&second)), [ann(aborted)]);
        let told = events(&bench.records(&book));
        let by_ann = |event: &&LabEvent| match event {
            LabEvent::PauseAsked { by, .. }
            | LabEvent::RunResumed { by, .. }
            | LabEvent::RerunAsked { by, .. }
            | LabEvent::RunStopping { by, .. }
            | LabEvent::QueueJoined { by, .. } => by.to_string() == "Ann (engineer)",
            _ => false,
        };
        assert_eq!(told.iter().filter(by_ann).count(), 6, "{told:?}");
    });
}

#[test]
fn an_engineer_holds_rigs_puts_devices_into_quarantine_and_stops_everything_by_the_page() {
    if !apart(
        "engineer::an_engineer_holds_rigs_puts_devices_into_quarantine_and_stops_everything_by_the_page",
    ) {
        return;
    }
    runtime().block_on(async {
        let mut bench = Bench::start().await;
        let mut browser = Browser::start();
        browser.open(&format!("{}/", bench.control));
        let rig = |words: &str| {
            format!("document.querySelector('#rigs [aria-label=\"rig-0\"]')?.innerText.includes({words:?})")
        };
        browser.until(&rig("In its safe state."));
        browser.until_there_is("heading", "rig-0 free");

        browser.push("Hold…");
        browser.until_there_is("dialog", "Hold rig-0 for yourself?");
        browser.fill("lease", "1800");
        browser.because("a new aerial");
        browser.until_says("acted", "You hold rig-0, recorded in the lab book as");
        browser.until(&rig("30 min left: a new aerial"));
        browser.until(&rig("Held by Ann until"));
        browser.push("Keep it longer…");
        browser.fill("lease", "14400");
        browser.because("the aerial broke");
        browser.until(&rig("240 min left: the aerial broke"));
        browser.push("Give back");
        browser.until(&rig("In its safe state."));
        browser.until(&rig("Nobody has it."));

        let meter = bench.lab.rigs[0].device(lab_config::DeviceKind::Esme).unwrap().eui64.to_string();
        browser
            .eval("document.querySelectorAll('#rigs details').forEach(details => { details.open = true; })");
        browser.push(&format!("Quarantine… ESME {meter} of rig-0"));
        browser.until_there_is("dialog", "A run that uses it ends.");
        browser.because("its seal is broken");
        browser.until(&rig("is in quarantine by Ann: its seal is broken. No run uses this rig."));
        browser.push(&format!("Lift quarantine ESME {meter} of rig-0"));
        browser.until_says("acted", "may be used again");
        browser.until(&format!("!({})", rig("is in quarantine")));

        ask_for_a_run(&mut browser, &bench, RIGS[0]);
        bench.hand.until_asked(1).await;
        browser.push("Stop everything…");
        browser.because("smoke");
        browser.until_says("evidence-line", "The run is complete");
        browser.until_says("events", "everything was stopped: smoke");
        browser.open(&format!("{}/", bench.control));
        browser.until_says("stopped", "EVERYTHING IS STOPPED by Ann at");
        browser.until_says("stopped", "smoke. No run begins until an engineer lets them.");
        browser.until_there_is("alert", "");
        browser.until(&rig("In its safe state."));
        browser.push("Let runs begin again");
        browser.until("document.getElementById('stopped').hidden");
        assert_eq!(browser.errors(), Vec::<String>::new());

        let book = bench.close().await;
        let told = events(&bench.records(&book));
        let names = told.iter().filter_map(|event| match event {
            LabEvent::RigHeld { by, reason, .. } => Some(format!("{by} holds: {reason}")),
            LabEvent::RigGivenBack { by, .. } => Some(format!("{by} gives back")),
            LabEvent::DeviceQuarantined { by, reason, .. } => Some(format!("{by} quarantines: {reason}")),
            LabEvent::QuarantineLifted { by, .. } => Some(format!("{by} lifts the quarantine")),
            LabEvent::EverythingStopped { by, reason } => Some(format!("{by} stops everything: {reason}")),
            LabEvent::StopLifted { by } => Some(format!("{by} lifts the stop")),
            _ => None,
        });
        let expected = [
            "Ann (engineer) holds: a new aerial",
            "Ann (engineer) holds: the aerial broke",
            "Ann (engineer) gives back",
            "Ann (engineer) quarantines: its seal is broken",
            "Ann (engineer) lifts the quarantine",
            "Ann (engineer) stops everything: smoke",
            "Ann (engineer) lifts the stop",
        ];
        assert_eq!(names.collect::<Vec<_>>(), expected);
    });
}

/// Presses Tab until what has the focus is the button of this name, and that it has it is to be seen.
fn tab_to(browser: &mut Browser, name: &str) {
    let there = format!(
        "(document.activeElement.ariaLabel ?? document.activeElement.innerText)?.trim() === {name:?}"
    );
    for _ in 0..60 {
        browser.press("Tab");
        if browser.eval(&there) == true {
            let outline = "parseFloat(getComputedStyle(document.activeElement).outlineWidth)";
            assert!(browser.eval(outline).as_f64().unwrap() >= 2.0);
            return;
        }
    }
    panic!("{name} is reached by no Tab: {:?}", browser.buttons());
}

/// Nothing of the page is beside the window, and no text of what can be pressed is cut off.
fn fits(browser: &mut Browser) {
    for (width, height) in [(1024, 768), (1366, 768), (1920, 1080)] {
        browser.size(width, height);
        let beside = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.eval(beside), 0, "at {width} by {height}");
        let cut = "[...document.querySelectorAll('button')].filter(b => b.checkVisibility() && b.scrollWidth > b.clientWidth + 1).map(b => b.innerText)";
        assert_eq!(browser.eval(cut), serde_json::json!([]), "at {width} by {height}");
    }
}

#[test]
fn a_run_is_paused_and_resumed_by_keyboard_alone_and_pages_fit_a_laptop_and_a_wall() {
    if !apart("engineer::a_run_is_paused_and_resumed_by_keyboard_alone_and_pages_fit_a_laptop_and_a_wall") {
        return;
    }
    runtime().block_on(async {
        let mut bench = Bench::start().await;
        let mut browser = Browser::start();
        let run = ask_for_a_run(&mut browser, &bench, RIGS[0]);
        bench.hand.until_asked(1).await;
        browser.until_says("steering", "It runs.");
        tab_to(&mut browser, "Pause");
        browser.press("Enter");
        browser.until_says("steering", "It will pause before its next step");
        bench.hand.answer("yes");
        browser.until_says("steering", "PAUSED by Ann");
        // The focus is where it was, on what can be done next.
        assert_eq!(browser.eval("document.activeElement.innerText"), "Resume");
        fits(&mut browser);
        browser.press("Space");
        browser.until_says("evidence-line", "The run is complete");
        for page in ["?wall", ""] {
            browser.open(&format!("{}/{page}", bench.control));
            browser.until_says("history", &run);
            fits(&mut browser);
            browser.open(&format!("{}/runs/{run}/{page}", bench.control));
            browser.until_says("evidence-line", "The run is complete");
            fits(&mut browser);
        }
        tab_to(&mut browser, "Stop everything…");
        browser.press("Enter");
        browser.until_there_is("dialog", "Stop every run");
        browser.press("Escape");
        browser.until("document.querySelector('dialog') === null");
        assert_eq!(browser.eval("document.activeElement.innerText"), "Stop everything…");
        assert_eq!(browser.errors(), Vec::<String>::new());
        bench.close().await;
        assert_eq!(deeds(&bench.records(&run)).len(), 2);
    });
}
