use std::collections::BTreeMap;

use lab_config::Lab;

use super::*;
use crate::Action;

/// Files of a pack in memory, to be changed at will.
struct InMemory(BTreeMap<String, String>);

impl InMemory {
    fn shipped(name: &str) -> Self {
        let pack = shipped_packs().find(|pack| pack.name() == name).expect("shipped");
        Self(pack.files().iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
    }

    fn change(mut self, file: &str, from: &str, to: &str) -> Self {
        let text = self.0.get_mut(file).expect("the file");
        assert!(text.contains(from), "{file} lacks {from}");
        *text = text.replacen(from, to, 1);
        self
    }
}

impl Files for InMemory {
    fn open(&self, name: &str) -> Result<Document, FileError> {
        let missing = || FileError::whole_file(name, "no such file", "a file of the pack", "add it");
        self.0.get(name).map(|text| Document::new(name, text.as_str())).ok_or_else(missing)
    }

    fn open_of(&self, pack: &Name, name: &str) -> Result<Document, FileError> {
        self.open(&format!("../{pack}/{name}"))
    }
}

const SRV: &str = "ioc-service-reference-variant";

fn refusal(files: &InMemory) -> PackError {
    Pack::open(files).expect_err("refused")
}

#[test]
fn the_standard_packs_are_whole_and_as_locked() {
    for shipped in shipped_packs() {
        let pack = Pack::shipped(shipped.name()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(pack.id, *shipped.name());
        let release = pack.release.word().to_lowercase();
        let standard = ["dormant-migration", "service-reference-variant"]
            .iter()
            .any(|kind| pack.id == *format!("{release}-{kind}"));
        assert_eq!(pack.standing == Standing::Standard, standard, "{}", pack.id);
        assert_eq!(pack.scripts.len(), pack.lock.scripts.len());
        // A file nobody lists would look agreed and never run.
        let listed = |file: &str| pack.scripts.iter().any(|script| *file == format!("{}.toml", script.id));
        for (file, _) in shipped.files().iter().filter(|(file, _)| !matches!(*file, PACK_FILE | LOCK_FILE)) {
            assert!(listed(file), "{}/{file} is not in its pack.toml", shipped.name());
        }
    }
}

#[test]
fn a_migration_pack_is_for_one_kind_of_installation() {
    let kind_of = |files: &InMemory| Pack::open(files).map(|pack| pack.installation);
    let dormant = InMemory::shipped("ioc-dormant-migration");
    assert_eq!(kind_of(&dormant), Ok(Some(InstallationType::Dormant)));
    assert_eq!(kind_of(&InMemory::shipped(SRV)), Ok(None));
    let heading = |line: &str| {
        let said = format!("kind = \"service-reference-variant\"\n{line}");
        let files = InMemory::shipped(SRV).change(PACK_FILE, "kind = \"service-reference-variant\"", &said);
        refusal(&files).to_string()
    };
    assert!(heading("installation = \"active\"").contains("of a migration pack only"));
    let unknown = dormant.change(PACK_FILE, "release = ", "installation = \"asleep\"\nrelease = ");
    assert!(refusal(&unknown).to_string().contains("dormant, active or mixed"));
}

#[test]
fn the_standard_packs_hold_what_the_release_needs() {
    let srv = Pack::shipped(SRV).expect("the pack");
    let migration = Pack::shipped("ioc-dormant-migration").expect("the pack");
    assert!(srv.scripts.len() >= 18 && migration.scripts.len() >= 6);
    assert!(srv.requires_enrolled && !migration.requires_enrolled);
    assert_eq!((srv.kind, migration.kind), (PackKind::ServiceReferenceVariant, PackKind::Migration));
    let variants: std::collections::BTreeSet<&str> =
        srv.scripts.iter().flat_map(Script::all_steps).filter_map(variant).collect();
    for expected in [
        "1.2.1", "1.6", "2.2", "4.1.1", "4.3", "4.8.1", "4.11.1", "4.16", "4.18", "6.2.4", "6.11", "6.13",
        "7.1", "7.2", "7.3", "7.4", "8.2", "8.9", "11.2",
    ] {
        assert!(variants.contains(expected), "no script requests {expected}");
    }
}

fn variant(step: &crate::Step) -> Option<&'static str> {
    match &step.action {
        Action::Request(request) => Some(request.srv.as_str()),
        _ => None,
    }
}

/// Every combination of the labs that come with the project.
fn combinations() -> Vec<std::sync::Arc<lab_config::DeviceModelCombination>> {
    let cohorts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab-config/labs/cohorts.toml");
    let labs =
        [Lab::embedded(), Lab::load(&cohorts)].map(|lab| lab.unwrap_or_else(|error| panic!("{error}")));
    labs.iter().flat_map(|lab| &lab.rigs).map(|rig| std::sync::Arc::clone(&rig.combination)).collect()
}

/// One that applies to none would look as if it tested something.
#[test]
fn every_script_covers_something_and_applies_to_a_combination_of_its_release() {
    let (combinations, mut idle) = (combinations(), Vec::new());
    for shipped in shipped_packs() {
        let pack = Pack::shipped(shipped.name()).expect("the pack");
        for script in &pack.scripts {
            assert!(!script.covers.is_empty() && script.group.is_some(), "{}", script.id);
            for row in script.cases() {
                let mut of_release = combinations.iter().filter(|of| of.release == pack.release);
                if !of_release.any(|combination| script.applies_to(combination, row).is_ok()) {
                    idle.push(format!("{}/{}", pack.id, script.id));
                }
            }
        }
    }
    assert!(idle.is_empty(), "{idle:#?}");
}

/// What the meters of a release can be tested for is tested for: MOC and FOC have every script of IOC that applies to one of
/// their combinations.
#[test]
fn the_standard_packs_differ_only_as_their_device_models_do() {
    let combinations = combinations();
    let ioc = Pack::shipped(SRV).expect("the pack");
    for name in ["moc-service-reference-variant", "foc-service-reference-variant"] {
        let pack = Pack::shipped(name).expect("the pack");
        let applies = |script: &&Script| {
            let mut of_release = combinations.iter().filter(|of| of.release == pack.release);
            of_release.any(|of| script.cases().any(|row| script.applies_to(of, row).is_ok()))
        };
        let missing: Vec<&Name> = ioc
            .scripts
            .iter()
            .filter(applies)
            .map(|script| &script.id)
            .filter(|id| pack.script(id.as_str()).is_none())
            .collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
    }
}

#[test]
fn a_script_of_another_pack_is_held_to_the_lock_of_the_one_that_takes_it() {
    let mut files = InMemory::shipped("one-meter");
    let pack = Pack::open(&files).expect("the pack");
    let taken = format!("{}.toml", pack.scripts[0].id);
    let text = files.0.remove(&taken).expect("a script");
    files.0.insert(format!("../other/{taken}"), text);
    assert!(matches!(refusal(&files), PackError::File(_)), "it says nowhere where the script is");
    let several = "scripts-of = [\"none\", \"other\"]\nscripts = [";
    let first_that_has_it = InMemory(files.0.clone()).change("pack.toml", "scripts = [", several);
    assert!(matches!(refusal(&first_that_has_it), PackError::Lock(LockError::HeadingDiffers { .. })));
    let files = files.change("pack.toml", "scripts = [", "scripts-of = \"other\"\nscripts = [");
    assert!(matches!(refusal(&files), PackError::Lock(LockError::HeadingDiffers { .. })));
    let changed = files.change(&format!("../other/{taken}"), "title = \"", "title = \"Other: ");
    assert!(matches!(refusal(&changed), PackError::Lock(LockError::Differs { .. })));
}

#[test]
fn a_changed_script_is_refused_by_name_with_both_digests() {
    let files = InMemory::shipped(SRV).change("top-up.toml", "tolerance = 20000", "tolerance = 20001");
    match refusal(&files) {
        PackError::Lock(LockError::Differs { script, found, expected }) => {
            assert_eq!(script, *"top-up");
            assert_ne!(found, expected);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_script_added_removed_or_reordered_is_refused() {
    let added = InMemory::shipped(SRV).change("pack.toml", "\"top-up\",", "\"top-up\", \"top-upp\",");
    let mut added = added;
    added.0.insert("top-upp.toml".into(), added.0["top-up.toml"].clone());
    let message = refusal(&added).to_string();
    assert!(
        message.contains("`top-upp` was not agreed") && message.contains("such as `top-up`"),
        "{message}"
    );
    let removed = InMemory::shipped(SRV).change("pack.toml", "  \"top-up\",\n", "");
    assert!(
        matches!(refusal(&removed), PackError::Lock(LockError::Missing { script }) if script == *"top-up")
    );
    let reordered = InMemory::shipped(SRV).change("pack.toml", "  \"top-up\",\n", "").change(
        "pack.toml",
        "scripts = [\n",
        "scripts = [\n  \"top-up\",\n",
    );
    assert!(matches!(refusal(&reordered), PackError::Lock(LockError::HeadingDiffers { .. })));
}

#[test]
fn a_pack_without_a_lock_is_refused() {
    let mut files = InMemory::shipped(SRV);
    files.0.remove("pack.lock");
    assert!(matches!(refusal(&files), PackError::File(error) if error.file == "pack.lock"));
}

#[test]
fn a_non_standard_pack_says_why_and_who_agreed() {
    let bare = InMemory::shipped(SRV).change("pack.toml", "standard = true", "standard = false");
    assert!(matches!(Unlocked::open(&bare), Err(error) if error.found == "no `rationale`"));
    let standing =
        standing_with("{ by = \"TAG\", on = 2026-11-01, reference = \"minute 7\" }").expect("read");
    let Standing::NonStandard(said) = standing else { panic!("{standing:?}") };
    let on = jiff::civil::date(2026, 11, 1);
    let agreed = Agreement { by: "TAG".into(), on, reference: "minute 7".into() };
    assert_eq!(said, NonStandard { rationale: "no gas on this network".into(), agreement: Some(agreed) });
    let standing = standing_with("\"none\"").expect("read");
    assert!(matches!(standing, Standing::NonStandard(said) if said.agreement.is_none()));
}

#[test]
fn an_agreement_without_all_its_parts_is_refused() {
    for (agreement, found) in [
        ("\"TAG minute 7\"", "TAG minute 7"),
        ("\"\"", ""),
        ("{ by = \"TAG\", on = 2026-11-01 }", "no `reference`"),
        ("{ by = \"TAG\", on = \"1 November\", reference = \"minute 7\" }", "1 November"),
        ("{ by = \" \", on = 2026-11-01, reference = \"minute 7\" }", ""),
        ("{ by = \"TAG\", on = 2026-11-01, reference = \"minute 7\", not = 1 }", "not"),
    ] {
        let error = standing_with(agreement).expect_err(agreement);
        assert!(error.found.contains(found), "{agreement}: {error}");
    }
}

/// The standing of the standard pack made non-standard with this agreement.
fn standing_with(agreement: &str) -> Result<Standing, FileError> {
    let heading =
        format!("standard = false\nrationale = \"no gas on this network\"\nagreement = {agreement}");
    let files = InMemory::shipped(SRV).change("pack.toml", "standard = true", &heading);
    Ok(Unlocked::open(&files)?.heading.standing)
}

#[test]
fn a_folder_is_locked_and_then_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in InMemory::shipped(SRV).0 {
        let text = if name == "pack.lock" { String::new() } else { text };
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let lock = Pack::lock(folder.path()).expect("locked");
    let loaded = Pack::load(folder.path()).expect("loaded");
    assert_eq!(loaded.lock, lock);
    assert_eq!(loaded.digest(), Pack::shipped(SRV).expect("the pack").digest());
    let printed = PackLock::parse(&Document::new("pack.lock", lock.to_string())).expect("read back");
    assert_eq!(printed, lock);
    std::fs::write(folder.path().join("top-up.toml"), "title = 1").expect("written");
    assert!(matches!(Pack::load(folder.path()), Err(PackError::Lock(LockError::Differs { .. }))));
    assert!(Pack::lock(folder.path()).is_err(), "nobody agrees to a broken script");
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let message = Pack::shipped("moc").expect_err("unknown").to_string();
    assert!(message.contains("ioc-dormant-migration"), "{message}");
}
