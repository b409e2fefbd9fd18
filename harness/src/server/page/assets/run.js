// One run: its records are taken, checked, folded and shown.

import { Run } from "./fold.js";
import { Evidence } from "./evidence.js";
import { Alarm, Witness } from "./witness.js";
import { parseKey, verifier } from "./note.js";
import { events, joined } from "./stream.js";
import { Cosigner } from "./cosign.js";
import { asked, blob, byId, chip, clock, digest, fill, got, h, moment, outline, say, span } from "./parts.js";
import { session } from "./session.js";

const name = decodeURIComponent(location.pathname.split("/")[2]);
const run = new Run();
const evidence = new Evidence(name);
/** The attempt that is shown; the one under way unless the reader chose another. */
let shown = null;
let follows = true;
/** The attempt that the list was last moved to. */
let inView = null;
let standard = [];
let live = "connecting";
/** What an engineer steers the run by; what a witness cosigns by. */
let controls = null;
let cosigner = null;
const rows = new Map();
const cards = new Map();
const texts = new Map();

if (new URLSearchParams(location.search).has("wall")) document.body.classList.add("wall");
document.title = `Run ${name}`;
say(byId("run-title"), name);

async function begin() {
  const { face, who } = await session();
  if (face === "control") {
    const { RunControls } = await import("./control.js");
    controls = new RunControls(byId("control"), name, run, () => shown);
    controls.follow();
  }
  if (face === "watch" && who?.role === "witness") {
    cosigner = new Cosigner(name, who);
    cosigner.begin();
  }
  standard = await asked("/packs").catch(() => []);
  const key = await readKey();
  const witness = await makeWitness(key);
  await follow(witness);
}

async function readKey() {
  return (await got(`/runs/${name}/key.pub`)).text();
}

/** Who checks; where this browser cannot, one who only counts. */
async function makeWitness(text) {
  try {
    const key = await parseKey(text);
    evidence.showKey(key);
    const verify = await verifier(key);
    return new Witness({ key, verify, origin: `${key.name}/${name}`, held: evidence.held });
  } catch (error) {
    if (error instanceof Alarm) throw error;
    evidence.showCannot(error.message);
    return null;
  }
}

/** Takes what the server sends until the run is complete; where the connection breaks, from where it broke. */
async function follow(witness) {
  const blind = { received: 0, notesRead: 0 };
  let wait = 500;
  while (!evidence.alarmed) {
    try {
      const at = witness ?? blind;
      const response = await got(`/runs/${name}/records?from=${at.received}&notes=${at.notesRead}&stay=1`);
      setLive("live");
      for await (const event of events(response.body)) {
        if (evidence.alarmed) return;
        // The stream stays: what is altered behind this page is told.
        if (await take(event, witness, blind)) setLive("complete");
        wait = 500;
      }
    } catch (error) {
      if (error instanceof Alarm) return raise(error);
      setLive("waiting", error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(2 * wait, 8000);
  }
}

/** Takes one event; says whether it was the last. */
async function take(event, witness, blind) {
  switch (event.name) {
    case "records":
      blind.received += event.data.length;
      await takeRecords(event.data, witness);
      break;
    case "checkpoints":
      if (witness) await witness.takeNotes(joined(event));
      else blind.notesRead += joined(event).length;
      break;
    case "fault":
      throw new Alarm("The files of the run changed", new TextDecoder().decode(joined(event)).trim());
    case "behind":
      throw new Error(new TextDecoder().decode(joined(event)).trim());
    case "edge":
    case "end":
      witness?.atEdge();
      break;
    default:
      return false;
  }
  if (witness) evidence.show(witness);
  cosigner?.show(witness?.head ?? null);
  draw();
  return event.name === "end";
}

async function takeRecords(lines, witness) {
  if (!witness) {
    for (const line of lines) run.apply(JSON.parse(new TextDecoder().decode(line)));
    return;
  }
  for await (const record of witness.takeLines(lines)) {
    const signer = record.n === 0 ? (record["run-started"] ?? record["book-opened"])?.key?.verifier : witness.key.text;
    if (signer !== witness.key.text) {
      throw new Alarm("The key is not that of the run", "The first record names another key than the one in the run\u2019s folder.", 0);
    }
    run.apply(record);
  }
}

function raise(alarm) {
  evidence.alarm(alarm.title, alarm.message);
  cosigner?.show(null);
  setLive("stopped");
  // What came with the wrong record may be wrong too.
  for (const id of ["steps", "script-text", "alerts", "events", "counts"]) fill(byId(id));
  if (alarm.record !== null) say(byId("run-line"), `Not shown from record ${alarm.record} on.`);
}

function setLive(state, why = "") {
  live = state;
  drawState(why);
}

let drawing = false;
/** Draws soon, once for all that came meanwhile; a page nobody looks at is drawn too, for it may be read aloud. */
function draw() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    drawAll();
  }, 16);
}

function drawAll() {
  if (evidence.alarmed) return;
  drawHead();
  if (follows) choose(run.current ?? run.attempts.at(-1) ?? null);
  drawState();
  drawTally();
  for (const entry of run.dirty.cases) drawCase(entry);
  run.dirty.cases.clear();
  if (follows && shown && inView !== shown) {
    inView = shown;
    keepInView(rows.get(shown.case.name)?.item);
  }
  drawScript();
  drawSide();
  const said = run.dirty.said.splice(0);
  if (said.length > 0) say(byId("aloud"), said.slice(-3).join(". "));
}

let headDrawn = false;
function drawHead() {
  const started = run.started;
  if (!started || headDrawn) return;
  headDrawn = true;
  const { dmc } = started;
  say(byId("run-title"), `${dmc.id}, ${dmc.release} ${dmc.installation}`);
  say(byId("run-line"), `Run ${name} on ${started.rig} of ${started.lab}, ${started.system.environment}, DCC Systems ${started.system.dcc_systems ?? started.system["dcc-systems"]}; began ${moment(run.began)}`);
  document.title = `${dmc.id}: run ${name}`;
  for (const entry of run.cases.values()) drawCase(entry);
  drawPacks();
  drawRig();
}

function drawState(why = "") {
  const place = byId("run-state");
  const words = { connecting: "connecting", live: "live", complete: "complete", waiting: "connection lost, trying again", stopped: "stopped by the alarm" };
  const about = run.finished ? [chip(run.finished.verdict)] : [h("span", { class: `chip link-${live}` }, words[live])];
  if (run.paused) about.unshift(h("span", { class: "chip inconclusive" }, `paused by ${run.paused.by.name}`), " ");
  if (run.began && run.last) about.push(h("span", { class: "faint" }, ` ${span(run.began, run.last.at)}`));
  if (why) about.push(h("span", { class: "faint" }, ` ${why}`));
  const key = `${live}${why}${run.finished?.verdict}${run.paused?.at}${run.last ? span(run.began, run.last.at) : ""}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  fill(place, about);
}

function drawTally() {
  const counts = run.counts();
  const [decided, planned] = [run.decided(), run.cases.size];
  byId("progress").max = Math.max(1, planned);
  byId("progress").value = decided;
  say(byId("progress-words"), `${decided} of ${planned} scripts decided`);
  const order = ["pass", "fail", "inconclusive", "aborted", "error", "not-run"];
  const key = order.map((verdict) => counts[verdict]).join();
  if (byId("counts").dataset.key === key) return;
  byId("counts").dataset.key = key;
  const told = order.filter((verdict) => counts[verdict] > 0 || ["pass", "fail"].includes(verdict));
  fill(byId("counts"), told.map((verdict) => h("li", { class: counts[verdict] === 0 ? "zero" : "" }, h("strong", {}, String(counts[verdict])), " ", chip(verdict))));
}

function drawCase(entry) {
  let row = rows.get(entry.name);
  if (!row) {
    const button = h("button", { type: "button", click: () => open(entry) });
    row = { item: h("li", { "data-name": entry.name }, button), button };
    rows.set(entry.name, row);
    byId("cases").append(row.item);
  }
  const isLive = run.current?.case === entry;
  const isWitnessed = witnessed(entry);
  fill(row.button,
    h("span", { class: "case-name" }, entry.title ?? entry.script, entry.row ? ` [${entry.row}]` : "", entry.title ? h("span", { class: "faint case-id" }, ` ${entry.name}`) : ` ${entry.device ? `@${entry.device}` : ""}`),
    h("span", { class: "case-chips" }, isWitnessed ? h("span", { class: "chip seen" }, "witnessed") : null,
      entry.attempts.length > 1 ? h("span", { class: "chip open" }, `${entry.attempts.length} attempts`) : null, chip(entry.verdict, isLive)));
  row.item.classList.toggle("under-way", isLive);
  filterRow(entry, row);
}

const witnessed = (entry) => (run.started?.witnessed ?? []).includes(entry.script);

function filterRow(entry, row) {
  const wanted = {
    all: true,
    begun: entry.attempts.length > 0,
    bad: entry.verdict !== null && !["pass", "not-run"].includes(entry.verdict),
    witnessed: witnessed(entry),
  }[byId("filter").value];
  row.item.hidden = !wanted;
}

byId("filter").addEventListener("change", () => {
  for (const [key, row] of rows) filterRow(run.cases.get(key), row);
});

/** Shows an attempt of a script the reader chose. */
function open(entry, attempt = entry.attempts.at(-1)) {
  follows = false;
  choose(attempt ?? { case: entry, steps: [], title: entry.title ?? entry.name, verdict: entry.verdict, reason: entry.reason, covers: [] });
  byId("follow").hidden = false;
  drawScript();
  if (!byId("attempts").contains(document.activeElement)) byId("now").focus({ preventScroll: false });
}

byId("follow").addEventListener("click", followRun);
function followRun() {
  follows = true;
  byId("follow").hidden = true;
  drawAll();
}

function choose(attempt) {
  if (attempt === shown) return;
  const before = shown;
  shown = attempt;
  cards.clear();
  fill(byId("steps"));
  for (const entry of [before?.case, attempt?.case]) if (entry) drawCase(entry);
  for (const { item, button } of rows.values()) {
    const isShown = attempt !== null && button === rows.get(attempt.case.name)?.button;
    item.classList.toggle("shown", isShown);
    if (isShown) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  byId("script-text").dataset.digest = "";
  fill(byId("script-text"));
}

/** Moves the list, never the page. */
function keepInView(item) {
  const list = byId("cases");
  if (!item || list.scrollHeight <= list.clientHeight) return;
  const [above, below] = [item.offsetTop - list.offsetTop, item.offsetTop - list.offsetTop + item.offsetHeight];
  if (above < list.scrollTop || below > list.scrollTop + list.clientHeight) list.scrollTop = above - list.clientHeight / 3;
}

function drawScript() {
  if (!shown) return;
  say(byId("script-title"), shown.title);
  const about = [shown.case.name, shown.attempt > 1 ? `attempt ${shown.attempt}` : "", shown.group ?? "", (shown.covers ?? []).join(", ")];
  const line = byId("script-line");
  const key = `${about.join()}${shown.verdict}${shown.reason}${run.current === shown}`;
  if (line.dataset.key !== key) {
    line.dataset.key = key;
    fill(line, chip(shown.verdict, run.current === shown), ` ${about.filter(Boolean).join(" \u00b7 ")}`, shown.reason ? h("span", { class: "reason" }, ` ${shown.reason}`) : null);
  }
  drawAttempts();
  controls?.draw();
  for (const step of shown.steps) if (!cards.has(step)) addStep(step);
  for (const step of run.dirty.steps) if (cards.has(step)) drawStep(step);
  run.dirty.steps.clear();
  drawText();
}

/** Every attempt of the shown script is kept, and can be shown. */
function drawAttempts() {
  const { attempts } = shown.case;
  const place = byId("attempts");
  const key = attempts.map((attempt) => `${attempt.number}${attempt.verdict}${attempt === shown}`).join();
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.hidden = attempts.length < 2;
  const had = [...place.children].indexOf(document.activeElement);
  fill(place, attempts.map((attempt) => h("button", { type: "button", class: "quiet", "aria-pressed": String(attempt === shown), click: () => open(shown.case, attempt) },
    `Attempt ${attempt.attempt} `, chip(attempt.verdict, run.current === attempt))));
  if (had >= 0) place.children[had]?.focus();
}

const PARTS = { "set-up": "set-up", test: "test", "clean-up": "clean-up" };

function addStep(step) {
  const head = h("div", { class: "step-head" });
  const body = h("div", { class: "step-body" });
  const item = h("li", { class: `step part-${step.part}` }, head, body);
  cards.set(step, { item, head, body, told: 0 });
  byId("steps").append(item);
  drawStep(step);
  if (follows && run.current === shown) scrollSteps();
}

function scrollSteps() {
  const place = byId("steps");
  if (place.scrollHeight > place.clientHeight) place.scrollTop = place.scrollHeight;
}

function drawStep(step) {
  const card = cards.get(step);
  const isLive = !step.verdict && run.current === shown;
  card.item.classList.toggle("under-way", isLive);
  if (isLive) card.item.setAttribute("aria-current", "step");
  else card.item.removeAttribute("aria-current");
  fill(card.head, h("span", { class: "step-number" }, `${PARTS[step.part]} ${step.step}`), h("span", { class: "step-action" }, step.action),
    chip(step.verdict, isLive), h("a", { class: "faint record", href: `/runs/${name}/records.html#r${step.number}` }, `record ${step.number}`));
  const parts = [];
  if (step.reason) parts.push(h("p", { class: "reason" }, step.reason));
  if (step.failed.length > 0) {
    parts.push(h("table", {}, h("caption", {}, "Expectations that did not hold"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "At"), h("th", { scope: "col" }, "Expected"), h("th", { scope: "col" }, "Found"))),
      h("tbody", {}, step.failed.map((failed) => h("tr", {}, h("td", {}, failed.path), h("td", {}, failed.expected), h("td", { class: "bad" }, failed.found))))));
  }
  const crossed = [...step.messages.map((message) => ({ at: message.number, row: () => messageRow(message) })),
    ...step.observed.map((observed) => ({ at: observed.number, row: () => observedRow(observed) })),
    ...step.alerts.map((alert) => ({ at: alert.number, row: () => h("p", { class: "crossed" }, h("span", { class: "way" }, "alert"), `${alert.code} of ${alert.device}, as expected`) }))];
  crossed.sort((a, b) => a.at - b.at);
  card.rows ??= new Map();
  for (const { at, row } of crossed) if (!card.rows.has(at)) card.rows.set(at, row());
  fill(card.body, parts, crossed.map(({ at }) => card.rows.get(at)));
}

/** What was sent or received: its gist at once, its whole when opened. */
function messageRow(message) {
  const isSent = message.direction === "sent";
  const gist = h("span", { class: "gist faint" });
  const details = h("details", { class: "crossed", toggle: () => details.open && showMessage(message, details) },
    h("summary", {}, h("span", { class: "way" }, isSent ? "sent \u2192" : "received \u2190"), h("span", {}, `${message.party}: ${message.what}`), gist));
  wantGist(message.number, gist);
  return details;
}

async function showMessage(message, details) {
  if (details.dataset.shown) return;
  details.dataset.shown = "yes";
  const place = h("div", { class: "inner" }, "Reading.");
  details.append(place);
  try {
    const [told, whole] = await Promise.all([asked(`/runs/${name}/decoded/${message.number}`), blob(name, message.blob)]);
    fill(place, digestWords(whole, message.blob), told.messages.flatMap(({ says, problems }) => [
      ...(says ?? []).map((line) => h("p", {}, line)), ...(problems ?? []).map((line) => h("p", { class: "unsure" }, line))]),
    h("pre", { tabindex: "0" }, outline(whole.text) ?? whole.text.slice(0, 4000)));
  } catch (error) {
    say(place, `Could not be read: ${error.message}`);
    delete details.dataset.shown;
  }
}

function digestWords(whole, expected) {
  const link = h("a", { href: `/runs/${name}/blobs/${expected}` }, "octets");
  if (whole.whole === null) return h("p", { class: "unsure" }, "This browser cannot hash here; ", link);
  return whole.whole
    ? h("p", { class: "good" }, "These octets are those the record names (SHA-256 ", digest(expected), "), as hashed here; ", link)
    : h("p", { class: "bad" }, "THESE OCTETS ARE NOT THOSE THE RECORD NAMES (SHA-256 ", digest(expected), "); ", link);
}

/** What a step saw: the values as the record has them, the frames when opened. */
function observedRow(observed) {
  const values = Object.entries(observed.values ?? {});
  const list = values.length > 0 ? h("dl", { class: "values" }, values.flatMap(([path, value]) => [h("dt", {}, path), h("dd", {}, value)])) : null;
  const said = h("p", { class: "crossed" }, h("span", { class: "way" }, "observed"), `from ${observed.from}`);
  if (!observed.packets) return h("div", {}, said, list);
  const details = h("details", { class: "crossed", toggle: () => details.open && showFrames(observed, details) },
    h("summary", {}, h("span", { class: "way" }, "on the line"), `packets ${observed.packets.first} to ${observed.packets.last} of ${observed.packets.file}`));
  return h("div", {}, said, list, details);
}

async function showFrames(observed, details) {
  if (details.dataset.shown) return;
  details.dataset.shown = "yes";
  const place = h("div", { class: "inner" }, "Decoding.");
  details.append(place);
  try {
    const told = await asked(`/runs/${name}/decoded/${observed.number}`);
    fill(place, told.left_out?.map((line) => h("p", { class: "unsure" }, line)), h("ol", { class: "frames" }, told.frames.map(frameRow)));
  } catch (error) {
    say(place, `Could not be decoded: ${error.message}`);
    delete details.dataset.shown;
  }
}

function frameRow(frame) {
  const way = { sent: "\u2192", received: "\u2190" }[frame.direction] ?? "\u00b7";
  const innermost = frame.layers.at(-1);
  const words = innermost ? `${innermost.what}${innermost.summary ? `: ${innermost.summary}` : ""}` : frame.note ?? "";
  const layers = frame.layers.map((layer) => h("p", { class: "layer" }, h("strong", {}, layer.what), ` ${layer.summary} `, h("code", {}, layer.octets.length > 160 ? `${layer.octets.slice(0, 160)}\u2026` : layer.octets)));
  if (layers.length === 0) return h("li", {}, `${frame.link ?? ""} ${words}`);
  return h("li", { class: frame.sound ? "" : "bad" }, h("details", {}, h("summary", {}, `${frame.link ?? ""} ${way} ${words}`), layers));
}

/** Gists are asked for one by one, the latest first, and only of what is shown. */
const wanted = [];
let asking = false;
function wantGist(number, place) {
  wanted.push({ number, place });
  if (wanted.length > 24) wanted.shift();
  if (!asking) askGists();
}

async function askGists() {
  asking = true;
  while (wanted.length > 0) {
    const { number, place } = wanted.pop();
    try {
      const told = await asked(`/runs/${name}/decoded/${number}`);
      const gist = told.messages.flatMap(({ says }) => says ?? [])[0];
      if (gist) say(place, gist);
    } catch {
      // The record itself stands; its gist can be had by opening it.
    }
  }
  asking = false;
}

/** The text of the script, with the step under way marked. */
async function drawText() {
  const place = byId("script-text");
  const wantedDigest = shown?.digest ?? "";
  if (place.dataset.digest !== wantedDigest) {
    place.dataset.digest = wantedDigest;
    if (!wantedDigest) return say(byId("script-digest"), "");
    if (!texts.has(wantedDigest)) texts.set(wantedDigest, blob(name, wantedDigest).catch((error) => ({ text: "", error })));
    const whole = await texts.get(wantedDigest);
    if (place.dataset.digest !== wantedDigest) return;
    showText(place, whole, wantedDigest);
  }
  markStep(place);
}

function showText(place, whole, wantedDigest) {
  if (whole.error) {
    texts.delete(wantedDigest);
    return say(place, `The text could not be read: ${whole.error.message}`);
  }
  if (whole.whole === false) {
    evidence.alarm("A script was altered", `The text of the script is not the one whose digest, ${wantedDigest}, the records name.`);
    return;
  }
  fill(byId("script-digest"), "Script SHA-256 ", digest(wantedDigest), whole.whole ? ": the text below hashes to it." : ": not checked in this browser.");
  let [part, number] = [null, { "set-up": 0, step: 0, "clean-up": 0 }];
  const lines = whole.text.split("\n").map((line) => {
    const [, header] = /^\[\[(set-up|step|clean-up)\]\]/.exec(line) ?? [];
    if (header) {
      number[header] += 1;
      part = `${header === "step" ? "test" : header}-${number[header]}`;
    } else if (/^\[/.test(line) && !/^\[\[(set-up|step|clean-up)\./.test(line) && !/^\[(set-up|step|clean-up)\./.test(line)) {
      part = null;
    }
    return h("span", { class: "line", "data-step": part }, `${line}\n`);
  });
  fill(place, h("pre", {}, h("code", {}, lines)));
}

function markStep(place) {
  const step = shown?.steps.at(-1);
  const now = step && run.current === shown ? `${step.part}-${step.step}` : "";
  if (place.dataset.now === now) return;
  place.dataset.now = now;
  let first = null;
  for (const line of place.querySelectorAll(".line")) {
    const isNow = now !== "" && line.dataset.step === now;
    line.classList.toggle("now", isNow);
    if (isNow) first ??= line;
  }
  if (first) place.scrollTop = first.offsetTop - place.offsetTop - 60;
}

function drawPacks() {
  const told = run.started.packs.map((pack) => {
    const [words, state] = lockWords(pack);
    const input = h("input", { id: `digest-${pack.id}`, placeholder: "64 hexadecimal digits", autocomplete: "off", spellcheck: "false" });
    const outcome = h("span", { role: "status" });
    const compare = (event) => {
      event.preventDefault();
      const given = input.value.trim().toLowerCase();
      const isSame = given === pack.lock;
      say(outcome, !given ? "" : isSame ? "The same: this is the pack you hold the digest of." : `DIFFERS: the run is bound to ${pack.lock}.`);
      outcome.className = isSame ? "good" : "bad";
    };
    return h("div", { class: "pack" }, h("h3", {}, pack.title), h("p", { class: state }, words),
      h("p", { class: "faint" }, `${pack.id}, ${pack.release}; lock `, h("code", { class: "wrap" }, pack.lock)),
      h("form", { submit: compare }, h("label", { for: `digest-${pack.id}` }, "The digest you hold"), h("div", { class: "pair" }, input, h("button", {}, "Compare")), outcome));
  });
  fill(byId("packs"), told);
}

/** The state of a pack's lock in plain words. A pack whose scripts differ from its lock is never run at all. */
function lockWords(pack) {
  const same = standard.find(({ release, purpose }) => release === pack.release && purpose === pack.purpose);
  if (same?.lock === pack.lock) return [`This is the agreed pack: the standard one of ${pack.release}, digest ${pack.lock.slice(0, 12)}.`, "good"];
  const other = pack["non-standard"];
  if (other?.agreed) return [`A non-standard pack, agreed by ${other.agreed.by} on ${other.agreed.on} (${other.agreed.reference}). ${other.rationale}`, "unsure"];
  if (other) return [`A non-standard pack, and no agreement is recorded. ${other.rationale}`, "bad"];
  if (same) return [`This DIFFERS from the standard pack that this program carries (digest ${same.lock.slice(0, 12)}).`, "bad"];
  return ["A pack of the lab\u2019s own: compare its digest with the one that was agreed.", "unsure"];
}

function drawRig() {
  const rows = run.started.devices.map((device) => {
    const found = device.found ?? null;
    const words = found ? `${found.manufacturer} ${found.model}, firmware ${found.firmware}` : "no answer";
    const different = (device.differences ?? []).map((d) => h("p", { class: "bad" }, `${d.what}: expected ${d.declared}, found ${d.found}`));
    return [h("dt", {}, device.name), h("dd", {}, words, device.simulated ? h("span", { class: "faint" }, " simulated") : null, h("br"), h("code", { class: "faint" }, device.eui64), different)];
  });
  fill(byId("rig"), h("dl", {}, rows.flat()));
}

let [alertsDrawn, remarksDrawn, papersDrawn] = [-1, -1, ""];
function drawSide() {
  const unexpected = run.alerts.filter(({ expected }) => !expected);
  if (alertsDrawn !== run.alerts.length) {
    alertsDrawn = run.alerts.length;
    const told = run.alerts.slice(-30).reverse().map((alert) => h("li", { class: alert.expected ? "" : "unsure" }, h("time", { class: "faint" }, clock(alert.at)), ` ${alert.code} of ${alert.device}: ${alert.expected ? "as expected" : "nothing expected it"}`));
    if (told.length > 0) fill(byId("alerts"), h("li", {}, `${run.alerts.length} so far, ${unexpected.length} that nothing expected`), told);
  }
  const remarks = run.remarks.length + (run.safeState ? 1 : 0);
  if (remarksDrawn !== remarks) {
    remarksDrawn = remarks;
    const safe = run.safeState ? [h("li", { class: run.safeState.reached ? "good" : "bad" }, h("time", { class: "faint" }, clock(run.safeState.at)), run.safeState.reached ? " The rig is in its safe state" : ` THE RIG IS NOT IN ITS SAFE STATE: ${run.safeState.detail}`)] : [];
    const told = run.remarks.slice(-30).reverse().map((remark) => h("li", {}, h("time", { class: "faint" }, clock(remark.at)), ` ${remark.text}`));
    if (safe.length + told.length > 0) fill(byId("events"), safe, told);
  }
  const papers = `${Boolean(run.finished)}${(run.started?.witnessed ?? []).length}`;
  if (papersDrawn === papers) return;
  papersDrawn = papers;
  const link = (file, words) => h("li", {}, h("a", { href: `/runs/${name}/${file}` }, words));
  fill(byId("papers"), run.finished ? [link("report.html", "DMCT Report"), link("report.json", "DMCT Report as JSON")] : h("li", { class: "faint" }, "The DMCT Report is there once the run has ended."),
    run.finished && run.started?.witnessed?.length ? [link("witness.html", "Witness report"), link("witness.json", "Witness report as JSON")] : null,
    link("records.html", "Every record, with its octets"), link("records.jsonl", "records.jsonl"), link("checkpoints", "checkpoints"), link("key.pub", "key.pub"));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const act = { f: followRun, w: () => document.body.classList.toggle("wall"), "[": () => move(-1), "]": () => move(1) }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function move(by) {
  const begun = [...run.cases.values()].filter(({ attempts }) => attempts.length > 0);
  const at = begun.findIndex((entry) => entry === shown?.case);
  const entry = begun[Math.min(begun.length - 1, Math.max(0, at + by))];
  if (entry) open(entry);
}

await begin();
