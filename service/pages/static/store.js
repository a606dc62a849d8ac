// What the phone keeps, in IndexedDB: the roll as it was last fetched, who came to a meeting, and the lines of its sheet.
// A line is a draft, then saved (on this phone, to be sent), then what the service said of it: sent, had or refused.
// Nothing here touches the page, so that the worker may use it too.

export const KEPT_DAYS = 120;

let opened;

function open() {
  return (opened ||= new Promise((resolve, reject) => {
    const request = indexedDB.open("microfund", 1);
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore("clubs", { keyPath: "fund" });
      db.createObjectStore("meetings", { keyPath: ["fund", "on"] });
      const lines = db.createObjectStore("lines", { keyPath: "id" });
      lines.createIndex("meeting", ["fund", "on"]);
      lines.createIndex("state", "state");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  }).catch((error) => {
    opened = undefined;
    throw error;
  }));
}

const found = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// One transaction; it is done when it is on disk, and what failed in it undoes all of it.
async function within(stores, mode, act) {
  const transaction = (await open()).transaction(stores, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  done.catch(() => {});
  let result;
  try {
    result = await act(...stores.map((name) => transaction.objectStore(name)));
  } catch (error) {
    try {
      transaction.abort();
    } catch {} // It is over already.
    throw error;
  }
  await done;
  if (mode === "readwrite") told?.postMessage("changed");
  return result;
}

const told = globalThis.BroadcastChannel && new BroadcastChannel("microfund");
export const onChange = (act) => told?.addEventListener("message", act);

export const read = (fund, on) =>
  within(["clubs", "meetings", "lines"], "readonly", async (clubs, meetings, lines) => {
    const [club, meeting, own] = await Promise.all([
      found(clubs.get(fund)),
      found(meetings.get([fund, on])),
      found(lines.index("meeting").getAll([fund, on])),
    ]);
    return { club, meeting: meeting || { fund, on, attendance: {}, state: "draft" }, lines: own };
  });

export const clubs = () => within(["clubs"], "readonly", (clubs) => found(clubs.getAll()));

export const keepClub = (club) => within(["clubs"], "readwrite", (clubs) => found(clubs.put(club)));

export const newKey = () =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12)))).replace(/\+/g, "-").replace(/\//g, "_");

// Write a cell, or clear it without an amount. The line has its key from the moment it was tapped; a corrected one that
// was refused has a new one. What is saved or recorded stays as it is: another tab may have been quicker.
export const write = (line) =>
  within(["lines"], "readwrite", async (lines) => {
    const kept = await found(lines.get(line.id));
    if (kept && !["draft", "refused"].includes(kept.state)) return;
    if (!line.amount) return found(lines.delete(line.id));
    return found(lines.put({ ...line, key: kept?.state === "draft" ? kept.key : line.key, state: "draft" }));
  });

// Change who came, as long as that is not saved.
export const attend = (fund, on, change) =>
  within(["meetings"], "readwrite", async (meetings) => {
    const meeting = (await found(meetings.get([fund, on]))) || { fund, on, attendance: {}, state: "draft" };
    if (meeting.state === "draft") await found(meetings.put({ ...meeting, ...change(meeting) }));
  });

// "Record": the drafts of a meeting become lines to be sent, all in one transaction.
export const save = (fund, on, facts) =>
  within(["meetings", "lines"], "readwrite", async (meetings, lines) => {
    const savedAt = Date.now();
    const [meeting, own] = await Promise.all([
      found(meetings.get([fund, on])),
      found(lines.index("meeting").getAll([fund, on])),
    ]);
    if (meeting.state === "draft") meetings.put({ ...meeting, ...facts, state: "saved", savedAt, problem: undefined });
    for (const line of own) if (line.state === "draft") lines.put({ ...line, state: "saved", savedAt });
  });

// The service would not take a meeting as a whole: let who came be put right. The lines stay as they are, for one may be
// in the book already by another way, and wait until the meeting is saved again.
export const unlock = (fund, on) =>
  within(["meetings"], "readwrite", async (meetings) => {
    const meeting = await found(meetings.get([fund, on]));
    if (meeting.state === "saved") await found(meetings.put({ ...meeting, state: "draft", problem: undefined }));
  });

// The meetings with something to send, each with its lines in the order of their keys.
export const waiting = () =>
  within(["meetings", "lines"], "readonly", async (meetings, lines) => {
    const [all, saved] = await Promise.all([found(meetings.getAll()), found(lines.index("state").getAll("saved"))]);
    return all
      .map((meeting) => ({
        meeting,
        lines: saved
          .filter((line) => line.fund === meeting.fund && line.on === meeting.on)
          .sort((one, other) => (one.key < other.key ? -1 : 1)),
      }))
      .filter(({ meeting, lines }) => meeting.state === "saved" || (meeting.state === "held" && lines.length));
  });

// How many lines are in which state, by meeting.
export const counted = () =>
  within(["meetings", "lines"], "readonly", async (meetings, lines) => {
    const [all, every] = await Promise.all([found(meetings.getAll()), found(lines.getAll())]);
    return all.map((meeting) => {
      const own = every.filter((line) => line.fund === meeting.fund && line.on === meeting.on);
      const count = (state) => own.filter((line) => line.state === state).length;
      const saved = count("saved") || Number(meeting.state === "saved");
      const since = Math.min(...[meeting, ...own].filter(({ state }) => state === "saved").map((each) => each.savedAt));
      return { meeting, saved, refused: count("refused"), drafts: count("draft"), since };
    });
  });

// What the service said of the lines that were sent: each has its word. What was taken back meanwhile stays as it is.
export const settle = (sent, answer) =>
  within(["meetings", "lines"], "readwrite", async (meetings, lines) => {
    const [meeting, own] = await Promise.all([
      found(meetings.get([sent.fund, sent.on])),
      found(lines.index("meeting").getAll([sent.fund, sent.on])),
    ]);
    const { version, check_code, cash } = answer;
    meetings.put({ ...meeting, state: "held", problem: undefined, held: { version, check_code, cash: cash?.closing.book } });
    for (const said of answer.lines) {
      const line = own.find((each) => each.key === said.key && each.state === "saved");
      if (!line) continue;
      const state = { recorded: "sent", replayed: "had", refused: "refused" }[said.status];
      const word = said.problem?.detail || said.problem?.title;
      lines.put({ ...line, state, word, version: said.version, voucher: said.voucher });
    }
  });

// Why the service would not take a meeting as a whole.
export const refuse = (sent, problem) =>
  within(["meetings"], "readwrite", async (meetings) => {
    const meeting = await found(meetings.get([sent.fund, sent.on]));
    meetings.put({ ...meeting, problem });
  });

// Forget everything, unless something is written that is not in the book.
export const forget = () =>
  within(["clubs", "meetings", "lines"], "readwrite", async (clubs, meetings, lines) => {
    const [all, every] = await Promise.all([found(meetings.getAll()), found(lines.getAll())]);
    const open = every.filter((line) => !["sent", "had"].includes(line.state)).length;
    const saved = all.filter((meeting) => meeting.state === "saved").length;
    if (open || saved) return open || saved;
    await Promise.all([clubs, meetings, lines].map((store) => found(store.clear())));
    return 0;
  });
