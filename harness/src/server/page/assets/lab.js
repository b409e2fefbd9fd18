// The lab at a glance: what is running, rigs and queue, and every run there was.

import { asked, byId, chip, fill, h, kept, keyed, moment, say } from "./parts.js";
import { session } from "./session.js";

const EVERY = 2000;

const { face, who } = await session();
if (new URLSearchParams(location.search).has("wall")) document.body.classList.add("wall");
let buttons = null;
/** The moment drawn for, by which leases are told. */
let now = Date.now();
if (face === "control") {
  const control = await import("./control.js");
  buttons = control.controls;
  buttons.ofLab(byId("control"));
  control.afterEachAct(look);
}
for (;;) {
  await look();
  await new Promise((resolve) => setTimeout(resolve, EVERY));
}

async function look() {
  try {
    const runs = await asked("/runs?limit=200");
    const lab = await asked("/lab").catch(() => null);
    now = Date.now();
    draw(runs, lab);
    await missing(runs);
    setState(true);
  } catch (error) {
    setState(false, error.message);
  }
}

function setState(isThere, why = "") {
  const key = `${isThere}${why}`;
  if (byId("lab-state").dataset.key === key) return;
  byId("lab-state").dataset.key = key;
  fill(byId("lab-state"), h("span", { class: `chip ${isThere ? "link-live" : "link-waiting"}` }, isThere ? "live" : "no answer"), why ? ` ${why}` : "");
}

function draw(runs, lab) {
  const open = runs.filter(({ finished }) => !finished).map((run) => ({ ...run, way: lab?.runs[run.run] ?? null }));
  say(byId("lab-line"), line(runs, open, lab));
  byId("nothing-live").hidden = open.length > 0;
  keyed(byId("live"), open, ({ run }) => run, card);
  keyed(byId("history"), runs.map((run) => ({ ...run, held: kept.get(`head/${run.run}`)?.size ?? null })), ({ run }) => run, row);
  drawLab(lab, new Set(runs.map(({ run }) => run)));
  buttons?.draw(lab);
}

function line(runs, open, lab) {
  const told = [`${many(runs.length, "run")}, ${open.length} without a final checkpoint`];
  if (!lab) return told[0];
  const rigs = Object.values(lab.rigs);
  const free = rigs.filter(({ used }) => used === "free").length;
  told.unshift(`${many(rigs.length, "rig")}, ${free} free`, `${lab.queue.length} waiting`);
  if (lab.refused > 0) told.push(`${many(lab.refused, "call")} refused`);
  return `${lab.lab}: ${told.join("; ")}`;
}

function many(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** Where a run stands that the controller drives; who brought it there. */
function stage(way) {
  const by = way?.steered?.by.name;
  const words = { running: "running", pausing: `pausing: ${by}`, paused: `paused by ${by}`, stopping: `being ended by ${by}` };
  const kinds = { running: "live", pausing: "inconclusive", paused: "inconclusive", stopping: "aborted" };
  return way ? h("span", { class: `chip ${kinds[way.stage]}` }, words[way.stage]) : h("span", { class: "chip open" }, "open");
}

function card(run) {
  return h("article", { class: "card" }, h("h3", {}, h("a", { href: `/runs/${run.run}/` }, run.dmc), " ", stage(run.way)),
    h("p", {}, `on ${run.rig}, ${run.records} records`), h("p", { class: "faint" }, `${run.run}, began ${moment(run.began)}`),
    h("p", {}, h("a", { href: `/runs/${run.run}/?wall` }, "wall view")));
}

function row(run) {
  const papers = run.finished ? [h("a", { href: `/runs/${run.run}/report.html` }, "report"), " "] : [];
  return h("tr", {}, h("th", { scope: "row" }, h("a", { href: `/runs/${run.run}/` }, run.run)), h("td", {}, moment(run.began)), h("td", {}, run.rig), h("td", {}, run.dmc),
    h("td", {}, run.finished ? chip(run.verdict.replace(" ", "-")) : h("span", { class: "chip live" }, "open")), h("td", { class: "number" }, String(run.records)),
    h("td", {}, run.held ? `${run.held} records` : h("span", { class: "faint" }, "none")), h("td", {}, papers, h("a", { href: `/runs/${run.run}/records.html` }, "records")));
}

/** A run whose signed head is held here and that is not there any more was deleted. */
async function missing(runs) {
  const there = new Set(runs.map(({ run }) => run));
  for (const key of kept.keys("head/")) {
    const run = key.slice("head/".length);
    if (there.has(run)) continue;
    const response = await fetch(`/runs/${run}/`, { cache: "no-store" });
    if (response.status !== 404) continue;
    const place = byId("alarm");
    if (!place.hidden) return;
    place.hidden = false;
    document.documentElement.classList.add("alarmed");
    document.title = "ALARM: a run is missing";
    fill(place, h("h2", {}, "ALARM: A run is missing"), h("p", {}, `You hold a signed head of run ${run}, and the lab has no such run: it was deleted, moved, or is another lab.`));
    place.focus();
    return;
  }
}

/** Rigs and queue, where a controller keeps a book. */
function drawLab(lab, begun) {
  for (const id of ["rigs-place", "queue-place"]) byId(id).hidden = lab === null;
  drawStopped(lab?.stopped);
  if (!lab) return;
  const rigs = Object.entries(lab.rigs).map(([name, rig]) => rigTold(name, rig, lab, begun));
  keyed(byId("rigs"), rigs, ({ name }) => name, rigCard);
  byId("nobody-waits").hidden = lab.queue.length > 0;
  keyed(byId("queue"), lab.queue, ({ id }) => String(id), entryRow);
  const stations = Object.entries(lab.stations).map(([name, { links, since }]) => ({ name, links, since }));
  byId("stations-place").hidden = stations.length === 0;
  keyed(byId("stations"), stations, ({ name }) => name, ({ name, links, since }) => h("li", {}, h("strong", {}, name), h("span", { class: "faint" }, ` since ${moment(since)}: `), links.join(", ")));
}

function drawStopped(stopped) {
  const place = byId("stopped");
  place.hidden = !stopped;
  if (stopped) say(place, `EVERYTHING IS STOPPED by ${stopped.by.name} at ${moment(stopped.since)}: ${stopped.reason}. No run begins until an engineer lets them.`);
}

function entryRow(entry) {
  const packs = entry.work.packs.map(({ source }) => source).join(", ");
  const witnessed = entry.work.witnessed ?? [];
  return h("li", {}, h("span", {}, `${packs} on ${entry.work.rig} `, witnessed.length > 0 ? h("span", { class: "chip seen" }, `to be witnessed: ${witnessed.join(", ")}`) : null, h("span", { class: "faint" }, ` asked for by ${entry.by.name}, ${moment(entry.since)}`)), " ", buttons?.ofEntry(entry.id));
}

/** What is shown of a rig, and nothing else: its card is drawn anew when this changes. */
function rigTold(name, { declared, used, safe }, lab, begun) {
  const devices = declared.devices.map((device) => ({ ...device, quarantine: lab.quarantined[device.eui64] ?? null }));
  const left = used.held ? Math.max(0, Math.ceil((Date.parse(used.held.until) - now) / 60_000)) : null;
  return { name, combination: declared.combination, devices, used, left, safe, way: used.running ? lab.runs[used.running.run] ?? null : null, begun: begun.has(used.running?.run) };
}

function rigCard({ name, combination, devices, used, left, safe, way, begun }) {
  const quarantined = devices.filter(({ quarantine }) => quarantine);
  const state = quarantined.length > 0 ? "bad" : used.held ? "held" : used.running ? "runs" : "free";
  return h("article", { class: `card rig ${state}`, "aria-label": name }, h("h3", {}, name, " ", useChip(used, way)), h("p", { class: "faint" }, combination), h("p", {}, useWords(used, left, begun)),
    quarantined.map(({ kind, eui64, quarantine }) => h("p", { class: "bad" }, `${kind} ${eui64} is in quarantine by ${quarantine.by.name}: ${quarantine.reason}. No run uses this rig.`)),
    h("p", { class: safe && !safe.reached ? "bad" : "faint" }, safeWords(safe, used)),
    buttons ? h("div", { class: "buttons" }, buttons.ofRig(name, used, who)) : null,
    h("details", { class: "devices" }, h("summary", {}, `${devices.length} devices`),
      h("ul", {}, devices.map((device) => h("li", {}, h("span", {}, `${device.kind} `, h("code", {}, device.eui64)), " ", buttons?.ofDevice(name, device, Boolean(device.quarantine)))))));
}

function useChip(used, way) {
  if (used === "free") return h("span", { class: "chip pass" }, "free");
  return used.held ? h("span", { class: "chip inconclusive" }, "held") : stage(way);
}

/** What a rig is used for, in words; of a lease, until when and how long that is. */
function useWords(used, left, begun) {
  if (used === "free") return "Nobody has it.";
  if (used.held) return `Held by ${used.held.by.name} until ${moment(used.held.until)}, ${left} min left: ${used.held.reason}`;
  const { run } = used.running;
  return begun ? h("a", { href: `/runs/${run}/` }, run) : `${run} is being prepared: its evidence has not begun.`;
}

function safeWords(safe, used) {
  if (safe) return safe.reached ? "In its safe state." : `NOT IN ITS SAFE STATE: ${safe.detail}`;
  if (used.running) return "Its safe state is reached again when the run ends.";
  return used === "free" ? "Being brought to its safe state." : "Its safe state is reached again when it is given back.";
}
