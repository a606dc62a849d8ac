// Sending what is saved on the phone. Whatever happens on the way, a meeting may be sent again: each line has its key,
// and the whole has one that is made of its bytes.

import { refuse, settle, waiting } from "./store.js";

const PATIENCE = 60_000;

export function bodyOf(meeting, lines) {
  const named = (how) => Object.keys(meeting.attendance).filter((m) => meeting.attendance[m] === how).map(Number);
  return JSON.stringify({
    held_on: meeting.on,
    present: named("present"),
    by_proxy: named("proxy"),
    closing_cash: meeting.closing_cash,
    lines: lines.map(({ type, key, fields }) => ({ type, key, ...fields })),
    mode: "partial",
    sheet: meeting.on, // One sheet a day, as the service has it: attendance is recorded once.
  });
}

export async function keyOf(body) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  return "b-" + Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 40);
}

// What came back: its status, what it says, and after how long to try again. Status 0 is no answer of the service, or
// none that can be understood: a hotel's log-in page, half an answer.
export async function ask(address, options) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  try {
    const response = await fetch(address, { ...options, redirect: "manual", cache: "no-store", signal: abort.signal });
    const said = await response.json();
    return { status: response.status, said, later: 1000 * (Number(response.headers.get("Retry-After")) || 0) };
  } catch {
    return { status: 0, later: 0 };
  } finally {
    clearTimeout(timer);
  }
}

export async function post(fund, body, language) {
  const headers = { "Content-Type": "application/json", "Accept-Language": language, "Idempotency-Key": await keyOf(body) };
  return ask(`/v1/funds/${fund}/meetings`, { method: "POST", body, headers });
}

async function send(meeting, lines, language) {
  const answer = await post(meeting.fund, bodyOf(meeting, lines), language);
  if (answer.status === 413 && lines.length > 1) {
    const half = lines.length >> 1;
    const first = await send(meeting, lines.slice(0, half), language);
    return first.status === 201 || first.status === 200 ? send(meeting, lines.slice(half), language) : first;
  }
  if (answer.status >= 200 && answer.status < 300 && Array.isArray(answer.said?.lines)) await settle(meeting, answer.said);
  else if (answer.status >= 400 && answer.status < 500 && ![401, 408, 413, 429].includes(answer.status))
    await refuse(meeting, answer.said.detail || answer.said.title);
  return answer;
}

async function sendAll(language) {
  let later = 0, mustLogIn = false;
  for (const { meeting, lines } of await waiting()) {
    const answer = await send(meeting, lines, language);
    later = Math.max(later, answer.later);
    mustLogIn ||= answer.status === 401;
  }
  return { left: (await waiting()).length, later, mustLogIn };
}

// One sender at a time, whichever tab or worker it is; without locks two would send the same, which is recorded once.
export const sendWaiting = (language) =>
  navigator.locks ? navigator.locks.request("microfund-send", () => sendAll(language)) : sendAll(language);
