// The sheet of a meeting: shows what the phone keeps, keeps what is tapped, and sends what is saved when it can.

import { digitsOf, watchAmount } from "./forms.js";
import * as cells from "./cells.js";
import { ask, bodyOf, post, sendWaiting } from "./send.js";
import * as store from "./store.js";
import { asText, day, dong, fromText, language, say, share, tell, today } from "./text.js";

const DAY = 24 * 3600 * 1000;
const WARN_AFTER = 3 * DAY;
const SOONEST = 5000, LATEST = 300_000;

const at = (id) => document.getElementById(id);
const act = (name, where = document) => where.querySelector(`[data-act=${name}]`);
const figure = (name, where = document) => where.querySelector(`[data-figure=${name}]`);

const fund = decodeURIComponent(location.pathname.split("/")[2] || "");
const on = new URLSearchParams(location.search).get("on") || today();
const bar = document.querySelector("[role=status]");

let club, meeting, lines = [];
let mustLogIn = false, problem = "";

function show(name, value, text = dong(value)) {
  const element = figure(name);
  element.dataset.value = value;
  element.textContent = text;
}

// --- what the sheet comes to -------------------------------------------------------------------------------------------

const OUT = ["expense", "disbursement"];
const sum = (some) => some.reduce((total, line) => total + line.amount, 0);
const counting = () => lines.filter((line) => line.state !== "refused");
const received = (some) => sum(some.filter((line) => !OUT.includes(line.cell)));
const paid = (some) => sum(some.filter((line) => OUT.includes(line.cell)));
const came = (how) => Object.values(meeting.attendance).filter((each) => each === how).length;
const fresh = () => lines.filter((line) => line.state === "draft");
const isOpen = () => meeting.state === "draft" || fresh().length > 0;

// The cash that should lie in the box: the book's, and what the book of that moment had not heard of yet.
function expected() {
  const unheard = counting().filter((line) => !(line.version <= club.sheet.version));
  return club.sheet.closing_cash + received(unheard) - paid(unheard);
}

function sentence() {
  const proxies = came("proxy");
  const said = [say(proxies ? "spoken-proxies" : "spoken", { on: day(on), present: came("present"), proxies })];
  for (const cell of [...cells.COLUMNS, "donation", ...OUT]) {
    const some = counting().filter((line) => line.cell === cell);
    if (some.length) said.push(say("spoken-" + cell, { count: some.length, amount: dong(sum(some)) }));
  }
  const all = counting();
  said.push(all.length ? say("spoken-sum", { received: dong(received(all)), paid: dong(paid(all)) }) : say("spoken-no-money"));
  return said.join(" ");
}

// --- showing it --------------------------------------------------------------------------------------------------------

async function render() {
  ({ club, meeting, lines } = await store.read(fund, on));
  tell(at("alert"), problem || (club ? "" : say(mustLogIn ? "must-log-in" : "no-data")));
  for (const link of document.querySelectorAll(".log-in")) link.hidden = !mustLogIn;
  at("sheet").hidden = at("foot").hidden = !club || !at("review").hidden;
  if (!club) return cells.clear();
  tell(at("club"), club.about.club);
  document.body.classList.toggle("practice", !!club.about.practice);
  const before = meeting.before || { cash: club.sheet.closing_cash, code: club.sheet.check_code };
  show("cash", before.cash);
  at("code").textContent = before.code;
  tell(at("of-day"), club.sheet.on === on ? "" : say("of-day", { on: day(club.sheet.on) }));
  cells.paint(club.sheet, meeting, lines);
  cells.paintOthers(at("others"), lines.filter((line) => !cells.COLUMNS.includes(line.cell)));
  act("all-present").hidden = meeting.state !== "draft";
  const all = counting(), proxies = came("proxy"), present = came("present");
  show("total", received(all), say("total", { amount: dong(received(all)) }));
  show("present", present, say(proxies ? "people-proxy" : "people", { present, proxies }));
  tell(at("paid-out"), paid(all) ? say("paid-out", { amount: dong(paid(all)) }) : "");
  act("continue", at("foot")).hidden = !isOpen() || !at("review").hidden;
  renderChat(all);
  await renderBar();
}

async function renderBar() {
  const every = await store.counted();
  const total = (what) => every.reduce((count, each) => count + each[what], 0);
  const saved = total("saved"), refused = total("refused"), drafts = fresh().length;
  const days = Math.floor((Date.now() - Math.min(...every.map((each) => each.since))) / DAY);
  const stuck = every.find((each) => each.saved && each.meeting.problem)?.meeting;
  bar.dataset.waiting = saved;
  bar.dataset.refused = refused;
  let text = say(drafts ? "bar-drafts" : meeting.state === "held" ? "bar-sent" : "bar-ready", { count: drafts });
  if (refused) text = say("bar-refused", { count: refused });
  if (saved) text = say("bar-saved", { count: saved });
  if (saved && days * DAY >= WARN_AFTER) text = say("bar-days", { count: saved, days });
  if (saved && mustLogIn) text = say("bar-login", { count: saved });
  if (saved && stuck) text = say("bar-not-taken", { count: saved, word: stuck.problem });
  if (bar.firstElementChild.textContent !== text) bar.firstElementChild.textContent = text;
  act("unlock").hidden = !(stuck && stuck.on === on && meeting.state === "saved");
  at("elsewhere").replaceChildren(...every.filter((each) => (each.saved || each.refused) && each.meeting.on !== on).map(elsewhere));
  await renderMessage();
}

function elsewhere({ meeting: other, saved, refused }) {
  const link = document.createElement("a");
  link.className = "tap";
  link.href = `/clubs/${other.fund}/meeting?on=${other.on}`;
  link.textContent = say("bar-other", { on: day(other.on), count: saved + refused });
  return link;
}

// The text for the club's group chat: it names nobody, and the code in it lies in everybody's phone from then on.
function renderChat(all) {
  const { held } = meeting;
  at("after").hidden = !held?.check_code || isOpen();
  if (at("after").hidden) return;
  const people = came("present") + came("proxy"), cash = dong(held.cash ?? expected());
  const facts = { club: club.about.club, on: day(on).slice(0, 5), present: people, received: dong(received(all)), paid: dong(paid(all)) };
  at("chat").textContent = say("chat", { ...facts, cash, code: held.check_code });
  at("chat").dataset.checkCode = held.check_code;
}

async function renderMessage() {
  const texts = [];
  for (const { meeting: own, lines } of await store.waiting()) {
    texts.push(say("message", { fund: own.fund, on: day(own.on), count: lines.length }), await asText(own.fund, bodyOf(own, lines)));
  }
  at("message").textContent = texts.join("\n");
  at("message-out").hidden = !texts.length;
}

// --- writing -----------------------------------------------------------------------------------------------------------

// Whatever changes what is kept: shown afterwards, and loudly if the phone could not keep it.
async function keep(change) {
  try {
    await change();
    problem = "";
  } catch (error) {
    problem = say("storage-failed", { word: error?.message || String(error) });
  }
  await render();
}

const write = (line) => keep(() => store.write(line));
const before = () => ({ before: meeting.before || { cash: club.sheet.closing_cash, code: club.sheet.check_code } });
const NEXT = { undefined: "present", present: "proxy", proxy: undefined };

const attendOne = (member) =>
  keep(() =>
    store.attend(fund, on, ({ attendance }) => ({ ...before(), attendance: { ...attendance, [member]: NEXT[attendance[member]] } })),
  );

const attendAll = () =>
  keep(() =>
    store.attend(fund, on, ({ attendance }) => {
      const everybody = Object.fromEntries(club.sheet.roll.map(({ member }) => [member, attendance[member] || "present"]));
      return { ...before(), attendance: everybody };
    }),
  );

function tapped(event) {
  const button = event.target.closest("[data-cell], [data-add]");
  if (!button) return;
  const { cell, add } = button.dataset;
  if (cell === "present") return attendOne(button.closest("[data-member]").dataset.member);
  const id = button.dataset.line || (add ? "" : cells.cellId(fund, on, button));
  const line = lines.find((each) => each.id === id);
  if (line && !cells.IS_OPEN.includes(line.state)) return cells.openLocked(fund, line, cells.titleOf(button));
  if (add || button.dataset.line) return cells.openOther(club, on, add || cell, line, write);
  return cells.openCell(club, on, button, line, write);
}

// --- reviewing and saving ----------------------------------------------------------------------------------------------

function review(isShown) {
  at("review").hidden = !isShown;
  at("sheet").hidden = at("foot").hidden = isShown;
  if (isShown) at("after").hidden = at("message-out").hidden = true;
  scrollTo(0, 0);
}

async function readBack() {
  await render();
  problem = isOpen() ? (came("present") ? "" : say("nobody")) : say("nothing");
  tell(at("alert"), problem);
  if (problem) return scrollTo(0, 0);
  at("aloud").textContent = sentence();
  show("expected", expected());
  at("closing_cash").closest(".ask").hidden = meeting.state !== "draft";
  at("closing_cash").value = "";
  compare();
  review(true);
}

function compare() {
  const digits = digitsOf(at("closing_cash").value), difference = Number(digits) - expected();
  tell(at("difference"), digits && say(difference ? (difference > 0 ? "over" : "short") : "matches", { amount: dong(Math.abs(difference)) }));
}

async function record() {
  const digits = digitsOf(at("closing_cash").value);
  act("record").disabled = true;
  await keep(() => store.save(fund, on, { closing_cash: digits ? Number(digits) : undefined }));
  act("record").disabled = false;
  if (problem) return;
  review(false);
  await render();
  navigator.storage?.persist?.();
  navigator.serviceWorker?.ready.then((ready) => ready.sync?.register("send")).catch(() => {});
  send(true);
}

// --- sending, and fetching what is due ----------------------------------------------------------------------------------

let pause = SOONEST, timer;

async function send(isNew = false) {
  if (isNew) pause = SOONEST;
  clearTimeout(timer);
  const hadToSend = (await store.waiting()).length > 0;
  const { left, later, mustLogIn: refused } = await sendWaiting(language);
  if (hadToSend) mustLogIn = refused;
  if (left) {
    clearTimeout(timer);
    timer = setTimeout(send, Math.max(pause, later));
    pause = Math.min(pause * 2, LATEST);
  } else {
    pause = SOONEST;
    if (hadToSend) await fetchSheet();
  }
  await render();
}

async function fetchSheet() {
  const headers = { "Accept-Language": language };
  const [sheet, about, approved] = await Promise.all(
    [`/sheet?on=${on}`, "", "/loans?status=approved"].map((path) => ask(`/v1/funds/${fund}${path}`, { headers })),
  );
  if (sheet.status === 200 && about.status === 200) {
    problem = "";
    await store.keepClub({ fund, sheet: sheet.said, about: about.said, approved: approved.said?.items || [], seen: Date.now() });
  } else if (sheet.status === 401) {
    mustLogIn = true;
    await store.forget(); // Unless something waits: that goes after the next log-in.
  } else if (sheet.status >= 400 && sheet.status < 500 && sheet.status !== 429) {
    problem = say("not-allowed", { word: sheet.said.detail || sheet.said.title });
  }
  if (sheet.status === 200) mustLogIn = false;
}

async function close() {
  const left = await store.forget();
  if (left) {
    problem = say("close-waiting", { count: left });
    await render();
    return scrollTo(0, 0);
  }
  location.assign("/clubs/" + fund);
}

async function sendPasted() {
  const result = at("paste-result"), carried = await fromText(at("pasted").value);
  if (!carried) return tell(result, say("paste-wrong"));
  if (carried.fund !== fund) return tell(result, say("paste-other", carried));
  const { status, said } = await post(fund, carried.body, language);
  if (said?.totals) tell(result, say("pasted", said.totals));
  else tell(result, status >= 400 && status < 500 && status !== 429 ? said.detail || said.title : say("paste-unknown"));
  if (said?.totals) await fetchSheet().then(render);
}

async function shareText(button) {
  const hint = button.nextElementSibling;
  tell(hint, (await share(at(button.dataset.share).textContent)) ? say("copied") : "");
}

// --- the worker, and where this runs -------------------------------------------------------------------------------------

function registerWorker() {
  if (!navigator.serviceWorker) return;
  const admit = (address) => {
    if (address !== "/sw.js") throw new TypeError(address);
    return address;
  };
  const address = globalThis.trustedTypes?.createPolicy("worker", { createScriptURL: admit }).createScriptURL("/sw.js") || "/sw.js";
  navigator.serviceWorker.register(address, { type: "module" }).catch(() => {}); // Without it, all but opening offline works.
}

function hints() {
  const agent = navigator.userAgent, isIos = /iPhone|iPad/.test(agent);
  at("install-ios").hidden = !isIos || navigator.standalone;
  at("in-app").hidden = !/; wv\)|Zalo|FBAN|FBAV/.test(agent);
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    at("install").hidden = false;
    at("install").onclick = () => event.prompt();
  });
}

async function forgetWhatIsOld() {
  const every = await store.clubs();
  if (every.length && every.every((each) => Date.now() - each.seen > store.KEPT_DAYS * DAY)) await store.forget();
}

async function begin() {
  document.querySelector("h1").textContent = document.title = say("heading", { on: day(on) });
  document.querySelector(".top a").href = "/clubs/" + fund;
  for (const link of document.querySelectorAll("[hreflang]")) link.href = `${location.pathname}?on=${on}&lang=${link.hreflang}`;
  for (const id of ["roll", "others", "sheet"]) at(id).addEventListener("click", id === "sheet" ? (event) => event.target.closest("[data-add]") && tapped(event) : tapped);
  watchAmount(at("closing_cash"), at("review").querySelector(".words"));
  at("closing_cash").addEventListener("input", compare);
  const acts = { "all-present": attendAll, record, close, paste: sendPasted, change: () => review(false) };
  for (const [name, does] of Object.entries(acts)) act(name, name === "change" ? at("review") : document).addEventListener("click", does);
  act("continue", at("foot")).addEventListener("click", readBack);
  act("unlock").addEventListener("click", () => keep(() => store.unlock(fund, on)));
  for (const button of document.querySelectorAll("[data-share]")) button.addEventListener("click", () => shareText(button));
  hints();
  registerWorker();
  await keep(forgetWhatIsOld);
  await fetchSheet();
  await render();
  store.onChange(render);
  addEventListener("online", () => send(true));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send(true));
  await send();
}

begin();
