// The ruled page: a row a member, and the dialogs that a cell opens.

import { digitsOf, dotted, watchAmount } from "./forms.js";
import { newKey } from "./store.js";
import { dong, say, tell } from "./text.js";

const roll = document.getElementById("roll");
const PRESENCE = { undefined: ["false", "absent"], present: ["true", "present"], proxy: ["mixed", "by-proxy"] };
const MARKS = { saved: "⏳ ", sent: "✓ ", had: "= ", refused: "! " };
export const IS_OPEN = ["draft", "refused"];
export const COLUMNS = ["dues", "repayment", "savings"];
const labels = Object.fromEntries(COLUMNS.map((name) => [name, document.getElementById("label-" + name).content.textContent]));
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export const lineId = (fund, on, ...parts) => [fund, on, ...parts].join("/");
export const nameOf = (member) => member.name || say("unnamed", member);
const told = (member) =>
  nameOf(member) + (member.birth_year ? ` · ${say("number", member)} · ${say("born", { year: member.birth_year })}` : "");

// --- the page ----------------------------------------------------------------------------------------------------------

// What stands in the cells of a member: dues, a repayment for each running loan, savings where the club keeps them.
function cellsOf(sheet, member, lines) {
  const loans = loansOf(sheet, member, lines);
  const cells = [{ cell: "dues" }, ...(loans.length ? loans : [undefined]).map((loan) => ({ cell: "repayment", loan }))];
  return keepsSavings(sheet) ? [...cells, { cell: "savings" }] : cells;
}

// The loans that run, and those that were settled on this sheet: what was written stays in view.
function loansOf(sheet, { member }, lines) {
  const running = sheet.loans.filter((loan) => loan.member === member);
  const written = lines.filter((line) => line.cell === "repayment" && line.id.split("/")[2] === String(member));
  return [...new Set([...running.map(({ loan }) => loan), ...written.map(({ fields }) => fields.loan)])];
}

const keepsSavings = (sheet) => sheet.roll.some((member) => member.savings);

function makeRow(sheet, member, lines) {
  const row = copy("row");
  row.dataset.member = member.member;
  for (const { cell, loan } of cellsOf(sheet, member, lines)) {
    if (cell === "repayment" && !loan) {
      row.append(document.createElement("i")); // Owes nothing: a place of the same width.
      continue;
    }
    const button = copy("cell");
    button.dataset.cell = cell;
    if (loan) button.dataset.loan = loan;
    row.append(button);
  }
  return row;
}

const shape = (sheet, lines) =>
  JSON.stringify([sheet.roll.map((member) => [member.member, loansOf(sheet, member, lines)]), keepsSavings(sheet)]);

export function paint(sheet, meeting, lines) {
  const wanted = shape(sheet, lines);
  if (roll.dataset.shape !== wanted) {
    roll.replaceChildren(...sheet.roll.map((member) => makeRow(sheet, member, lines)));
    roll.dataset.shape = wanted;
    roll.classList.toggle("three", keepsSavings(sheet));
  }
  const byId = new Map(lines.map((line) => [line.id, line]));
  sheet.roll.forEach((member, index) => {
    const row = roll.children[index], [name, ...cells] = row.children;
    const [pressed, word] = PRESENCE[meeting.attendance[member.member]];
    name.setAttribute("aria-pressed", pressed);
    name.disabled = meeting.state !== "draft";
    tell(name.children[0], told(member));
    tell(name.children[1], say(word));
    for (const cell of cells) if (cell.dataset.cell) paintCell(cell, byId.get(cellId(sheet.fund, meeting.on, cell)), member);
  });
}

// Nothing of anybody is left on the page.
export function clear() {
  for (const list of [roll, document.getElementById("others")]) list.replaceChildren();
  delete roll.dataset.shape;
}

export const cellId = (fund, on, cell) =>
  lineId(fund, on, cell.closest("[data-member]").dataset.member, cell.dataset.cell, cell.dataset.loan || "");

function paintCell(cell, line, member) {
  const paidUp = cell.dataset.cell === "dues" && !member.dues_owed.length && !line;
  cell.dataset.state = line?.state || "empty";
  cell.firstElementChild.textContent = (MARKS[line?.state] || "") + labels[cell.dataset.cell];
  cell.lastElementChild.textContent = line ? dotted(String(line.amount)) : paidUp ? say("paid-up") : "";
  cell.classList.toggle("paid-up", paidUp);
  cell.classList.toggle("long", line?.amount >= 1_000_000);
}

export function paintOthers(list, lines) {
  list.replaceChildren(
    ...lines.map((line) => {
      const item = document.createElement("li"), button = copy("cell");
      Object.assign(button.dataset, { cell: line.cell, state: line.state, line: line.id });
      button.className = "wide";
      button.firstElementChild.textContent = line.label;
      button.lastElementChild.textContent = (MARKS[line.state] || "") + dong(line.amount);
      item.append(button);
      return item;
    }),
  );
}

// --- the dialogs -------------------------------------------------------------------------------------------------------

for (const dialog of document.querySelectorAll("dialog")) {
  const input = dialog.querySelector("[name=amount]");
  if (input) watchAmount(input, dialog.querySelector(".words"));
  input?.addEventListener("focus", () => input.select()); // What is typed takes the place of what was proposed.
  dialog.querySelector("[data-act=cancel]")?.addEventListener("click", () => dialog.close());
  // Enter, and the keyboard's own "done", are the main button.
  dialog.querySelector("form").addEventListener("submit", (event) => {
    const main = dialog.querySelector("[data-act=continue]");
    if (main) event.preventDefault(), main.click();
  });
}

function setAmount(input, amount) {
  input.value = amount ? String(amount) : "";
  input.dispatchEvent(new Event("input"));
}

// Open a dialog, with why its line was refused; `done` is given the form's fields, and answers what is wrong with them, if something is.
function open(dialog, line, done) {
  const wrong = dialog.querySelector(".wrong:not(.why)");
  tell(wrong, "");
  tell(dialog.querySelector(".why"), line?.state === "refused" ? line.word : "");
  dialog.querySelector("[data-act=continue]").onclick = async () => {
    const fields = Object.fromEntries(new FormData(dialog.querySelector("form")));
    const complaint = await done({ ...fields, amount: Number(digitsOf(fields.amount || "")) });
    if (complaint) tell(wrong, complaint);
    else dialog.close();
  };
  dialog.showModal();
}

// What is likely in a cell, the most likely first; and what is usual, to ask once about ten times as much.
function likely(club, member, cell, loan) {
  const monthly = club.about.bylaws?.monthly_dues || 0;
  if (cell === "dues") {
    const owed = member.dues_owed.map((month) => month.amount);
    const sums = owed.length ? owed.map((_, n) => owed.slice(0, n + 1).reduce((sum, each) => sum + each, 0)) : [monthly];
    for (let n = sums.length + 1; n <= 3 && monthly; n++) sums.push(sums.at(-1) + monthly);
    return sums.filter(Boolean).map((amount, n) => [n ? say("propose-months", { months: n + 1 }) : say("propose-one"), amount]);
  }
  if (cell === "savings") return [];
  const due = club.sheet.loans.find((each) => each.loan === loan);
  if (!due) return []; // Settled since by another way.
  const both = [[say("propose-due"), due.due], [say("propose-settle"), due.settlement_amount]];
  return both.filter(([, amount], n) => amount && (!n || amount !== due.due));
}

function oddity(amount, usual, proposals) {
  if (!usual || proposals.some(([, proposed]) => proposed === amount)) return "";
  if (amount >= 10 * usual) return say("ten-times", { times: Math.floor(amount / usual), amount: dong(amount) });
  return 10 * amount <= usual ? say("tenth", { times: Math.floor(usual / amount), amount: dong(amount) }) : "";
}

const BODIES = {
  dues: (member) => ({ type: "contribution", fields: { member, kind: "dues" } }),
  savings: (member) => ({ type: "contribution", fields: { member, kind: "savings" } }),
  repayment: (_, loan) => ({ type: "repayment", fields: { loan } }),
};

// The dialog of a cell. The line's key is made here, when the cell is tapped.
export function openCell(club, on, button, line, write) {
  const cell = button.dataset.cell, loan = Number(button.dataset.loan) || undefined, key = newKey();
  const member = club.sheet.roll.find((each) => each.member === Number(button.closest("[data-member]").dataset.member));
  const several = club.sheet.loans.filter((each) => each.member === member.member).length > 1;
  const dialog = document.getElementById("money"), input = dialog.querySelector("[name=amount]");
  const proposals = likely(club, member, cell, loan);
  dialog.querySelector("h2").textContent =
    say("ask-" + cell, { name: told(member) }) + (loan && several ? ` (${say("loan", { loan })})` : "");
  document.getElementById("proposals").replaceChildren(
    ...proposals.map(([label, amount]) => {
      const choice = copy("proposal");
      choice.firstElementChild.textContent = label;
      choice.lastElementChild.textContent = dong(amount);
      choice.onclick = () => setAmount(input, amount);
      return choice;
    }),
  );
  setAmount(input, line?.amount || proposals[0]?.[1]);
  document.getElementById("empty-hint").hidden = line?.state !== "draft";
  let asked = 0;
  open(dialog, line, async ({ amount }) => {
    const odd = amount && asked !== amount ? oddity(amount, proposals[0]?.[1], proposals) : "";
    asked = amount;
    if (odd) return odd;
    const { type, fields } = BODIES[cell](member.member, loan);
    await write({ id: cellId(club.fund, on, button), fund: club.fund, on, key, cell, type, amount, fields: { ...fields, amount } });
  });
}

// The dialog of another line: a gift, an expense, the disbursement of a loan.
export function openOther(club, on, what, line, write) {
  const dialog = document.getElementById(what), form = dialog.querySelector("form"), key = newKey();
  if (what === "disbursement") offerLoans(club, form);
  for (const [name, value] of Object.entries(line?.fields || {})) if (form.elements[name] && name !== "amount") form.elements[name].value = value;
  if (form.elements.amount) setAmount(form.elements.amount, line?.amount);
  open(dialog, line, async ({ amount, loan, ...given }) => {
    const chosen = club.approved.find((each) => String(each.loan) === loan);
    const fields = Object.fromEntries(Object.entries(given).filter(([, text]) => text.trim()).map(([name, text]) => [name, text.trim()]));
    if (!amount && !chosen && !line) return say("amount-missing");
    const label = chosen ? form.elements.loan.selectedOptions[0].textContent : `${dialog.querySelector("h2").textContent}${form.elements.activity ? `: ${form.elements.activity.selectedOptions[0].textContent}` : ""}`;
    const written = chosen ? { amount: chosen.principal, fields: { loan: chosen.loan } } : { amount, fields: { ...fields, amount } };
    await write({ id: line?.id || lineId(club.fund, on, key), fund: club.fund, on, key, cell: what, type: what, label, ...written });
  });
}

function offerLoans(club, form) {
  form.elements.loan.replaceChildren(
    new Option("…", ""),
    ...club.approved.map((loan) => {
      const member = club.sheet.roll.find((each) => each.member === loan.member);
      return new Option(`${member ? nameOf(member) : say("unnamed", loan)} · ${dong(loan.principal)}`, loan.loan);
    }),
  );
  document.getElementById("no-approved").hidden = club.approved.length > 0;
}

export const titleOf = (button) => labels[button.dataset.cell] || button.firstElementChild.textContent;

// What became of a cell that cannot be changed any more, and the way to put it right.
export function openLocked(fund, line, title) {
  const dialog = document.getElementById("locked"), link = dialog.querySelector("a");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector(".amount-large").textContent = dong(line.amount);
  dialog.querySelector(".lead").textContent = stateOf(line);
  link.hidden = !line.version;
  if (line.version) link.href = `/clubs/${fund}/entries/${line.version}/correction`;
  dialog.showModal();
}

export const stateOf = (line) =>
  say("state-" + line.state, { voucher: line.voucher ? `, ${line.voucher}` : "", word: line.word });
