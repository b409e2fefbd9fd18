// The lab at a glance: what is running, rigs and queue, and every run there was.

import { asked, byId, chip, fill, h, kept, moment, say } from "./parts.js";

const EVERY = 2000;

const session = await asked("/session").catch(() => ({ face: "watch" }));
if (new URLSearchParams(location.search).has("wall")) document.body.classList.add("wall");
let drawn = "";
let buttons = null;
if (session.face === "control") {
  buttons = (await import("./control.js")).controls;
  buttons.ofLab(byId("control"));
}
for (;;) {
  try {
    const runs = await asked("/runs?limit=200");
    const lab = await asked("/lab").catch(() => null);
    const text = JSON.stringify([runs, lab]);
    if (text !== drawn) draw(runs, lab);
    drawn = text;
    await missing(runs);
    setState(true);
  } catch (error) {
    setState(false, error.message);
  }
  await new Promise((resolve) => setTimeout(resolve, EVERY));
}

function setState(isThere, why = "") {
  fill(byId("lab-state"), h("span", { class: `chip ${isThere ? "link-live" : "link-waiting"}` }, isThere ? "live" : "no answer"), why ? ` ${why}` : "");
}

function draw(runs, lab) {
  const live = runs.filter(({ finished }) => !finished);
  say(byId("lab-line"), `${runs.length} runs, ${live.length} without their final checkpoint`);
  fill(byId("live"), live.length > 0 ? live.map(card) : h("p", { class: "faint" }, "Nothing is running."));
  fill(byId("history"), runs.map(row));
  drawLab(lab);
}

function card(run) {
  return h("article", { class: "card" }, h("h3", {}, h("a", { href: `/runs/${run.run}/` }, run.dmc)),
  h("p", {}, `on ${run.rig}, ${run.records} records`), h("p", { class: "faint" }, `${run.run}, began ${moment(run.began)}`),
  h("p", {}, h("a", { href: `/runs/${run.run}/?wall` }, "wall view")));
}

function row(run) {
  const held = kept.get(`head/${run.run}`);
  const papers = run.finished ? [h("a", { href: `/runs/${run.run}/report.html` }, "report"), " "] : [];
  return h("tr", {}, h("th", { scope: "row" }, h("a", { href: `/runs/${run.run}/` }, run.run)), h("td", {}, moment(run.began)), h("td", {}, run.rig), h("td", {}, run.dmc),
    h("td", {}, run.finished ? chip(run.verdict.replace(" ", "-")) : h("span", { class: "chip live" }, "open")), h("td", { class: "number" }, String(run.records)),
    h("td", {}, held ? `${held.size} records` : h("span", { class: "faint" }, "none")), h("td", {}, papers, h("a", { href: `/runs/${run.run}/records.html` }, "records")));
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
function drawLab(lab) {
  for (const id of ["rigs-place", "queue-place"]) byId(id).hidden = lab === null;
  if (!lab) return;
  const stopped = lab.stopped ? h("p", { class: "bad" }, `EVERYTHING IS STOPPED by ${lab.stopped.by.name}: ${lab.stopped.reason}`) : null;
  fill(byId("rigs"), stopped, Object.entries(lab.rigs).map(([name, rig]) => rigCard(name, rig, lab)));
  const waits = lab.queue.map((entry) => h("li", {}, `${entry.work.packs.map(({ source }) => source).join(", ")} on ${entry.work.rig}`, h("span", { class: "faint" }, ` asked by ${entry.by.name}, ${moment(entry.since)}`), " ", buttons?.ofEntry(entry.id)));
  fill(byId("queue"), waits.length > 0 ? h("ol", {}, waits) : h("p", { class: "faint" }, "Nobody waits."));
}

function rigCard(name, rig, lab) {
  const quarantined = Object.entries(lab.quarantined).filter(([device]) => rig.declared.devices.some(({ eui64 }) => eui64 === device));
  return h("article", { class: "card" }, h("h3", {}, name), h("p", { class: "faint" }, rig.declared.combination), h("p", {}, use(rig.used, lab)),
    rig.safe && !rig.safe.reached ? h("p", { class: "bad" }, `NOT IN ITS SAFE STATE: ${rig.safe.detail}`) : null,
    quarantined.map(([device, { reason }]) => h("p", { class: "unsure" }, `${device} is in quarantine: ${reason}`)),
    buttons?.ofRig(name, rig.declared.devices));
}

/** What a rig is used for, in words. */
function use(used, lab) {
  if (used === "free") return [h("span", { class: "chip pass" }, "free")];
  if (used.held) return [h("span", { class: "chip inconclusive" }, "held"), ` by ${used.held.by.name} until ${moment(used.held.until)}: ${used.held.reason}`];
  const { run } = used.running;
  return [h("span", { class: "chip live" }, lab.runs[run]?.stage ?? "running"), " ", h("a", { href: `/runs/${run}/` }, run)];
}
