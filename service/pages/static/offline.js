// The sheets that this phone can open without a network.

import { clubs } from "./store.js";

const template = document.getElementById("open");
for (const { fund } of await clubs()) {
  const own = template.content.cloneNode(true), link = own.querySelector("a");
  link.href = `/clubs/${fund}/meeting`;
  link.textContent = link.textContent.replace("{fund}", fund);
  template.before(own);
  document.getElementById("none").hidden = true;
}
document.getElementById("again").href = location.href;
