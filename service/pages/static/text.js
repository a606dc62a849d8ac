// How the sheet says things, and the text that carries a meeting by way of a messenger.

import { dotted } from "./forms.js";
import { keyOf } from "./send.js";

const words = Object.fromEntries(
  Array.from(document.getElementById("words").content.children, (each) => [each.dataset.word, each.textContent]),
);
export const language = document.documentElement.lang;

export const say = (name, facts = {}) => words[name].replace(/\{(\w+)\}/g, (_, fact) => facts[fact]);
export const dong = (amount) =>
  (amount < 0 ? (language === "vi" ? "âm " : "-") : "") + dotted(String(Math.abs(amount))) + (language === "vi" ? "\u00a0đ" : "\u00a0VND");
export const day = (on) => on.split("-").reverse().join("/");
export const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Ho_Chi_Minh" }).format(new Date());

// Give an element a text, or hide it without one.
export function tell(element, text) {
  if (element.textContent !== (text || "")) element.textContent = text || "";
  element.hidden = !text;
}

// --- a meeting as a text -----------------------------------------------------------------------------------------------

const MARK = /MF1\.([A-Z0-9-]+)\.([zp])\.([\w-]+)\.([0-9a-f]{12})/;

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

// The body as it would be sent, in letters that no messenger changes, and the beginning of its digest.
export async function asText(fund, body) {
  const plain = new TextEncoder().encode(body), canPack = !!globalThis.CompressionStream;
  const bytes = canPack ? await through(plain, new CompressionStream("deflate-raw")) : plain;
  const letters = btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return `MF1.${fund}.${canPack ? "z" : "p"}.${letters}.${(await keyOf(body)).slice(2, 14)}`;
}

// The fund and the body that a text carries; null when a letter of it is missing or wrong.
export async function fromText(text) {
  const found = MARK.exec(text.replace(/\s/g, ""));
  if (!found) return null;
  try {
    const bytes = Uint8Array.from(atob(found[3].replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
    const body = new TextDecoder().decode(found[2] === "z" ? await through(bytes, new DecompressionStream("deflate-raw")) : bytes);
    return (await keyOf(body)).slice(2, 14) === found[4] ? { fund: found[1], body } : null;
  } catch {
    return null;
  }
}

// Give a text to the phone's share sheet, or copy it. Answers whether it was copied.
export async function share(text) {
  try {
    if (navigator.share) return void (await navigator.share({ text }));
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // Whoever thought better of it, or a phone that does neither: the text stands there to be copied.
  }
}
