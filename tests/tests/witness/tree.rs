//! The page's own tree and signatures against this project's in Rust, which are held against others' elsewhere.

use harness::evidence::tree::{Tree, leaf_hash};
use harness::evidence::{LabKey, RunEnd, RunFolder};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::page::{note, recorder, served};

/// Runs a program on the page, over a value it finds in `given`, and gives what it comes to.
async fn on_the_page(program: &str, given: &Value) -> Value {
    let runs = tempfile::tempdir().unwrap();
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    browser.open(&format!("http://{address}/"));
    browser.until("document.readyState === 'complete'");
    browser.eval(&format!(
        "(async (given) => {{ const {{ Tree, hex, leafHash }} = await import('/assets/tree.js'); \
         const note = await import('/assets/note.js'); {program} }})({given})"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_tree_is_that_of_rfc_6962() {
    let lines: Vec<String> =
        (0..140).map(|n| format!("{{\"n\":{n},\"text\":\"{}\"}}\n", "\u{e9}".repeat(n % 7))).collect();
    let mut tree = Tree::default();
    let mut roots = vec![tree.root().to_string()];
    for line in &lines {
        tree.push(leaf_hash(line.as_bytes()));
        roots.push(tree.root().to_string());
    }
    let program = r"
        const tree = new Tree();
        const roots = [hex(await tree.root())];
        for (const line of given) {
            await tree.push(await leafHash(new TextEncoder().encode(line)));
            roots.push(hex(await tree.root()));
        }
        return roots;";
    assert_eq!(on_the_page(program, &json!(lines)).await, json!(roots));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_check_of_signatures_takes_a_labs_checkpoints_and_nothing_else() {
    let runs = tempfile::tempdir().unwrap();
    let mut written = recorder(runs.path(), "run-1", &LabKey::ephemeral("lab".parse().unwrap()));
    for n in 0..70 {
        written.append(note(&format!("{n}"))).unwrap();
    }
    let root = written.finish(RunEnd::Completed).unwrap().1;
    let folder = RunFolder::new(runs.path().join("run-1"));
    let read = |path| std::fs::read_to_string(path).unwrap();
    let other = LabKey::ephemeral("lab".parse().unwrap()).verifier().to_string();
    let given = json!({ "notes": read(folder.checkpoints()), "key": read(folder.key()), "other": other });
    let program = r"
        const told = { held: 0, changed: 0, foreign: 0 };
        const key = await note.parseKey(given.key);
        const other = await note.parseKey(given.other);
        const verify = await note.verifier(key);
        const verifyOther = await note.verifier(other);
        let last = null;
        for (let rest = given.notes; rest.length > 0;) {
            const taken = note.takeNote(rest);
            rest = taken.rest;
            last = note.checkpoint(taken.note.text);
            told.held += (await note.unsigned(taken.note, key, verify)) === null ? 1 : 0;
            const changed = { ...taken.note, text: taken.note.text.replace('lab/', 'bal/') };
            told.changed += (await note.unsigned(changed, key, verify)) === null ? 1 : 0;
            told.foreign += (await note.unsigned(taken.note, other, verifyOther)) === null ? 1 : 0;
        }
        return { ...told, size: last.size, root: hex(last.root), isFinal: last.isFinal };";
    let told = on_the_page(program, &given).await;
    assert!(told["held"].as_u64().unwrap() >= 2, "{told}");
    assert_eq!((&told["changed"], &told["foreign"]), (&json!(0), &json!(0)));
    assert_eq!(
        (&told["size"], &told["root"], &told["isFinal"]),
        (&json!(72), &json!(root.to_string()), &json!(true))
    );
}
