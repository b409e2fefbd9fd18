use std::sync::Arc;

use lab_config::{Document, FileError, Lab, PartyRole};
use proptest::prelude::*;
use proto_migration::FileKind;

use crate::{
    Action, Declared, Facts, Migrate, Migration, ModelField, Operand, Script, SmsoAttempt, Spoil, Spoiling,
    Step, Wrong,
};

fn parse(steps: &str) -> Result<Script, FileError> {
    let text = format!("title = 'A title'\ndevice = 'ESME'\n{steps}");
    Script::parse("a-script".parse().expect("a name"), &Document::new("a-script.toml", text))
}

fn step(text: &str) -> Step {
    let script = parse(&format!("[[step]]\n{text}")).unwrap_or_else(|error| panic!("{error}"));
    script.steps.into_iter().next().expect("a step")
}

fn migrate(text: &str) -> Migrate {
    match step(text).action {
        Action::Migrate(migrate) => migrate,
        other => panic!("{other:?}"),
    }
}

fn refusal(text: &str) -> String {
    parse(&format!("[[step]]\n{text}")).expect_err("refused").to_string()
}

#[test]
fn an_installation_is_declared_wrongly_device_by_device() {
    let migrate = migrate(
        "migrate = 'validate'\ndeclare = { ESME = { firmware-version = 'X', meter-point = '1200023305967', supplier = '${user.GS}' }, GSME = 'left-out' }",
    );
    let lab = Lab::embedded().expect("the embedded lab");
    let bindings =
        crate::Bindings::new(Arc::new(Facts::of(&lab, &lab.rigs[0])), lab_config::DeviceKind::Esme);
    let said = |operand: &Operand| operand.resolve(&bindings).expect("a value").as_text().into_owned();
    let words: Vec<String> = migrate
        .declare
        .iter()
        .map(|Declared { device, wrong }| match wrong {
            Wrong::Model(field, value) => format!("{device} {field} {}", said(value)),
            Wrong::MeterPoint(value) => format!("{device} at {}", said(value)),
            Wrong::Supplier(value) => format!("{device} of {}", said(value)),
            Wrong::LeftOut => format!("no {device}"),
        })
        .collect();
    let supplier = "ESME of 90-B3-D5-1F-30-01-00-01";
    assert_eq!(words, ["ESME firmware-version X", "ESME at 1200023305967", supplier, "no GSME"]);
    assert_eq!(ModelField::ALL.len(), 5);
}

#[test]
fn a_file_is_spoilt_and_the_words_of_the_step_say_how() {
    let text = "migrate = 'contact'\nspoil = { file = 'results', from = 'dco', how = 'wrong-signer' }";
    let (file, from) = (FileKind::Results, Some(PartyRole::Dco));
    assert_eq!(migrate(text).spoil, Some(Spoil { file, from, how: Spoiling::WrongSigner }));
    assert_eq!(step(text).words, "migration: contact, the results file of the dco wrong-signer");
    assert!(step(text).is_hazardous());
}

#[test]
fn the_smso_tries_a_device_and_changes_nothing() {
    let step = step("smso = 'reach'\ndevice = 'CHF'");
    let device = Some(lab_config::DeviceKind::Chf);
    assert_eq!(step.action, Action::Smso(SmsoAttempt { device }));
    assert_eq!(step.words, "the SMSO tries to reach a device of CHF");
    assert!(!step.is_hazardous() && step.device(lab_config::DeviceKind::Esme) == device);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_do() {
    for (text, said) in [
        ("migrate = 'prepair'", "did you mean `prepare`?"),
        (
            "migrate = 'contact'\ndeclare = { ESME = 'left-out' }",
            "move it to the step with migrate = \"validate\"",
        ),
        ("migrate = 'validate'\ndeclare = { ESME = 'out' }", "write \"left-out\""),
        ("migrate = 'validate'\ndeclare = { ESME = { suplier = 'x' } }", "did you mean `supplier`?"),
        ("migrate = 'validate'\ndeclare = { ESME = { model = '${nothing}' } }", "which nothing binds"),
        ("migrate = 'validate'\ndeclare = { EMSE = 'left-out' }", "expected one of CHF, GPF, ESME"),
        (
            "migrate = 'validate'\nspoil = { file = 'commissioning', how = 'cut' }",
            "these cross: demand, estate, common, group, results",
        ),
        ("migrate = 'validate'\nspoil = { file = 'common', how = 'torn' }", "use one of altered, cut"),
        ("migrate = 'validate'\nspoil = { file = 'common' }", "no `how`"),
        ("migrate = 'validate'\nspoil = { file = 'comon', how = 'cut' }", "did you mean `common`?"),
        (
            "migrate = 'validate'\nspoil = { file = 'results', from = 'dcoo', how = 'cut' }",
            "did you mean `dco`?",
        ),
        ("smso = 'read'", "expected `reach`"),
        ("smso = 'reach'\nspoil = { file = 'common', how = 'cut' }", "found `spoil`"),
    ] {
        let refused = refusal(text);
        assert!(refused.contains(said), "{text}\n{refused}");
        assert!(refused.starts_with("a-script.toml:"), "{refused}");
    }
}

proptest! {
    /// Whatever a script may write of a file reads back as that, and nothing else reads.
    #[test]
    fn a_spoilt_file_reads_as_it_is_written(
        operation in prop::sample::select(Migration::ALL),
        file in prop::sample::select(FileKind::ALL),
        from in prop::option::of(prop::sample::select(PartyRole::ALL.to_vec())),
        how in prop::sample::select(Spoiling::ALL),
    ) {
        let by = from.map(|role| format!("from = '{role}', ")).unwrap_or_default();
        let text = format!("[[step]]\nmigrate = '{operation}'\nspoil = {{ file = '{file}', {by}how = '{how}' }}");
        match parse(&text) {
            Ok(script) => {
                let expected = Migrate { operation, declare: Vec::new(), spoil: Some(Spoil { file, from, how }) };
                prop_assert_eq!(&script.steps[0].action, &Action::Migrate(expected));
                prop_assert!(operation.files().contains(&file));
            }
            Err(error) => prop_assert!(!operation.files().contains(&file), "{error}"),
        }
    }
}
