// What makes a form easier, and what it does well without: dots in amounts, the amount in words, one press of a button.
// No rule is judged here; the service says what is right.

const vietnamese = document.documentElement.lang === "vi";

const DIGITS = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"];
const SCALES = [[10n ** 9n, "tỷ"], [10n ** 6n, "triệu"], [1000n, "nghìn"]];

function group(number, inside) {
  const hundreds = Math.floor(number / 100), tens = Math.floor(number / 10) % 10, units = number % 10;
  const words = [];
  if (hundreds || inside) words.push(DIGITS[hundreds], "trăm");
  if (tens > 1) words.push(DIGITS[tens], "mươi");
  else if (tens === 1) words.push("mười");
  else if (units && (hundreds || inside)) words.push("linh");
  if (units === 1 && tens > 1) words.push("mốt");
  else if (units === 5 && tens) words.push("lăm");
  else if (units) words.push(DIGITS[units]);
  return words;
}

function spell(number, inside = false) {
  const words = [];
  for (const [scale, name] of SCALES) {
    if (number >= scale) {
      words.push(...spell(number / scale, inside), name);
      number %= scale;
      inside = true;
    }
  }
  return number ? words.concat(group(Number(number), inside)) : words;
}

// The same words as the service has them (`service/words/wording.py`): both are tried with the same table.
export function inWords(amount) {
  const words = spell(BigInt(amount)).join(" ") || "không";
  return words[0].toUpperCase() + words.slice(1) + " đồng";
}

export const digitsOf = (text) => text.replace(/\D/g, "").replace(/^0+(?=\d)/, "").slice(0, 13);
export const dotted = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, vietnamese ? "." : ",");

export function watchAmount(input, words) {
  const show = () => {
    const digits = digitsOf(input.value), before = digitsOf(input.value.slice(0, input.selectionStart)).length;
    input.value = dotted(digits);
    let place = 0, seen = 0;
    while (seen < before && place < input.value.length) if (/\d/.test(input.value[place++])) seen++;
    if (document.activeElement === input) input.setSelectionRange(place, place);
    if (words) words.textContent = digits && vietnamese ? inWords(digits) : "";
  };
  input.addEventListener("input", show);
  show();
}

for (const input of document.querySelectorAll("[data-money]")) {
  watchAmount(input, document.querySelector(`[data-words-for="${input.name}"]`));
  // An amount that is typed beats one that was proposed.
  input.addEventListener("input", () => {
    if (input.value) for (const each of input.form.elements.proposal?.length ? input.form.elements.proposal : []) each.checked = false;
  });
}

// A button is out of reach once its form is on its way, never before: then the form would not go.
for (const form of document.forms) {
  if (form.method === "post") form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((each) => (each.disabled = true))));
}
addEventListener("pageshow", () => document.querySelectorAll("form button[disabled]:not([hidden])").forEach((each) => (each.disabled = false)));

// The phone reads aloud, if it has a voice for the language.
for (const button of document.querySelectorAll("[data-speak]")) {
  const offer = () => {
    const voice = speechSynthesis.getVoices().find((each) => each.lang.startsWith(document.documentElement.lang));
    button.hidden = !voice;
    button.onclick = () => {
      const spoken = new SpeechSynthesisUtterance(document.getElementById(button.dataset.speak).textContent);
      spoken.voice = voice;
      spoken.lang = voice.lang;
      speechSynthesis.cancel();
      speechSynthesis.speak(spoken);
    };
  };
  if (globalThis.speechSynthesis) {
    offer();
    speechSynthesis.addEventListener("voiceschanged", offer);
  }
}


// A text is sent by the phone's own sheet, or copied; without either the link opens the messages.
for (const link of document.querySelectorAll("[data-share]")) {
  link.addEventListener("click", async (event) => {
    const text = document.getElementById(link.dataset.share).textContent, status = document.getElementById("shared");
    if (!navigator.share && !navigator.clipboard) return;
    event.preventDefault();
    try {
      if (navigator.share) await navigator.share({ text });
      else {
        await navigator.clipboard.writeText(text);
        status.textContent = status.dataset.copied;
      }
    } catch (refused) {
      if (refused.name !== "AbortError") location.href = link.href;
    }
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.onclick = () => print();
}

document.querySelector("[aria-invalid=true]")?.focus();
