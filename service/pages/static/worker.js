// What answers when the network does not. It keeps the shell of the meeting's sheet and one page that names nobody, and
// leaves every other request alone. It never keeps a page with figures or an answer of the service.

import { sendWaiting } from "./send.js";

const HERE = new URL(".", import.meta.url).pathname;
const SHELF = "shell " + HERE;
const SHELL = "/offline/meeting", OFFLINE = "/offline";
const ASSETS = ["pages.css", "icon.svg", "forms.js", "store.js", "send.js", "text.js", "cells.js", "sheet.js", "offline.js"];
const MEETING = /^\/clubs\/[A-Z0-9-]+\/meeting$/;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(SHELF).then((shelf) => shelf.addAll([SHELL, OFFLINE, ...ASSETS.map((name) => HERE + name)])));
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== SHELF) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

async function kept(path) {
  const shelf = await caches.open(SHELF);
  return (await shelf.match(path, { ignoreVary: true })) || Response.error();
}

// The shell is taken from the shelf first, so that the sheet opens as fast without a network as with one; asked for in
// another language it is fetched, and kept in that one.
async function shell(request, url) {
  const shelf = await caches.open(SHELF);
  const own = await shelf.match(SHELL, { ignoreVary: true });
  if (own && !url.searchParams.has("lang")) return own;
  try {
    const fresh = await fetch(request);
    if (fresh.ok && !fresh.redirected) await shelf.put(SHELL, fresh.clone());
    return fresh;
  } catch {
    return own || kept(OFFLINE);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (request.method === "GET" && MEETING.test(url.pathname)) event.respondWith(shell(request, url));
    else event.respondWith(fetch(request).catch(() => kept(OFFLINE)));
  } else if (url.pathname.startsWith(HERE) && ASSETS.includes(url.pathname.slice(HERE.length))) {
    event.respondWith(kept(url.pathname).then((own) => (own.type === "error" ? fetch(request) : own)));
  }
});

// A hint of the browser that there may be a network again.
self.addEventListener("sync", (event) => {
  if (event.tag === "send") event.waitUntil(sendWaiting("vi"));
});
