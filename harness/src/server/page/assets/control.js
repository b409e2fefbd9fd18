// The engineers' buttons. They exist on the engineers' listener alone; the server decides, and records, every act.

import { byId, fill, h, say } from "./parts.js";

async function act(path, body) {
  const response = await fetch(`/control/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const text = (await response.text()).trim();
  if (!response.ok) throw new Error(text || `${response.status} ${response.statusText}`);
  return text;
}

/** A button that acts, says what became of it, and asks first where that cannot be taken back. */
function button(words, path, body, { asks = null, kind = "" } = {}) {
  const made = h("button", { type: "button", class: kind, click: press }, words);
  async function press() {
    const reason = asks ? await ask(asks) : "";
    if (reason === null) return;
    made.disabled = true;
    try {
      const told = await act(path, { ...(typeof body === "function" ? body() : body), ...(asks ? { reason } : {}) });
      say(byId("acted"), told || `${words}: done.`);
    } catch (error) {
      say(byId("acted"), `${words}: refused. ${error.message}`);
    }
    made.disabled = false;
  }
  return made;
}

/** Asks for a reason, which is recorded; null when the engineer would rather not. */
function ask(question) {
  return new Promise((resolve) => {
    const reason = h("input", { id: "reason", required: true, autocomplete: "off" });
    const dialog = h("dialog", { "aria-labelledby": "question", close: () => resolve(dialog.returnValue === "do" ? reason.value.trim() : null) },
      h("form", { method: "dialog" }, h("h2", { id: "question" }, question), h("label", { for: "reason" }, "Why (it is recorded with your name)"), reason,
        h("p", {}, h("button", { value: "do", class: "danger" }, "Do it"), " ", h("button", { value: "no", type: "submit", formnovalidate: true }, "Leave it"))));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  });
}

const outcome = () => h("p", { id: "acted", role: "status" });
const stopAll = () => button("Stop everything", "stop-everything", {}, { asks: "Stop every run and bring every rig to its safe state?", kind: "danger" });

export const controls = {
  ofRun(place, name, run) {
    place.hidden = false;
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", "Control");
    fill(place,
      button("Pause", "pause", { run: name }), button("Resume", "resume", { run: name }),
      button("Abort", "abort", { run: name }, { asks: "Abort this run?", kind: "danger" }),
      button("Run the shown script again", "rerun", () => ({ run: name, case: shownCase() })),
      button("Hold the rig", "hold", () => ({ rig: run.started?.rig }), { asks: "Hold this rig for you?" }),
      button("Give the rig back", "give-back", () => ({ rig: run.started?.rig })),
      stopAll(), outcome());
  },
  ofLab(place) {
    place.hidden = false;
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", "Control");
    fill(place, stopAll(), button("Let runs begin again", "lift-stop", {}), join(), outcome());
  },
  /** What can be done with one rig, for its card. */
  ofRig(name, devices) {
    const chosen = h("select", { "aria-label": `Device of ${name}` }, devices.map(({ kind, eui64 }) => h("option", { value: eui64 }, `${kind} ${eui64}`)));
    const device = () => ({ device: chosen.value });
    return h("div", { class: "control" }, button("Hold", "hold", { rig: name }, { asks: `Hold rig ${name} for you?` }), button("Give back", "give-back", { rig: name }),
      devices.length > 0 ? [chosen, button("Quarantine", "quarantine", device, { asks: "Put this device in quarantine?" }), button("Lift quarantine", "lift-quarantine", device)] : null);
  },
  /** Takes an entry out of the queue. */
  ofEntry: (entry) => button("Take out of the queue", "leave", { entry }, { kind: "quiet" }),
};

/** A form that puts work into the queue. */
function join() {
  const field = (id, words) => [h("label", { for: id }, words), h("input", { id, autocomplete: "off", spellcheck: "false" })];
  const list = (id) => byId(id).value.split(/[\s,]+/).filter(Boolean);
  return h("details", { class: "join" }, h("summary", {}, "Ask for a run"), field("join-rig", "Rig"), field("join-packs", "Packs, or none for the standard ones"),
    field("join-scripts", "Scripts, or none for all"), button("Join the queue", "join", () => ({ rig: byId("join-rig").value.trim(), packs: list("join-packs"), scripts: list("join-scripts") })));
}

const shownCase = () => document.querySelector("#cases .shown")?.dataset.name ?? "";
