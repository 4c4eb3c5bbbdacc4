import assert from "node:assert/strict";
import { test } from "node:test";
import { noFilters, found, fromQuery, isFiltering, seesCall, seesManager, toQuery } from "./filters.js";
import { duration, initials, phone, plain, share } from "./format.js";
import { boardFromWire } from "./apply.js";
import { isOld, notices } from "./notices.js";
import { makeWords } from "./words.js";

const missed = { one: "{n} пропущенный подряд", few: "{n} пропущенных подряд", many: "{n} пропущенных подряд", other: "…" };
const waits = { one: "{n} ждёт", few: "{n} ждут", many: "{n} ждут!", other: "…" };
const ru = makeWords({ language: "ru", timeZone: "Europe/Moscow", texts: { missed, waits, hello: "Привет, {who}" } });
const en = makeWords({ language: "en", timeZone: "UTC", texts: { waits: { one: "{n} waits", other: "{n} wait" } } });

test("Russian plural forms are Russian", () => {
  assert.deepEqual([1, 2, 5, 11, 21, 22, 25, 111].map((n) => ru.t("waits", { n })), [
    "1 ждёт", "2 ждут", "5 ждут!", "11 ждут!", "21 ждёт", "22 ждут", "25 ждут!", "111 ждут!",
  ]);
  assert.equal(ru.t("missed", { n: 3 }), "3 пропущенных подряд");
  assert.deepEqual([1, 2, 21].map((n) => en.t("waits", { n })), ["1 waits", "2 wait", "21 wait"]);
});

test("values go into texts as they are, even braces and dollars", () => {
  assert.equal(ru.t("hello", { who: "$& {n} <b>" }), "Привет, $& {n} <b>");
  assert.equal(ru.t("no.such.key"), "no.such.key");
});

test("times are the company's, not the browser's", () => {
  assert.equal(ru.time(1_700_000_000), "01:13");
  assert.equal(en.time(1_700_000_000), "22:13");
});

test("durations read as people read them", () => {
  assert.deepEqual([-3, 0, 7.9, 59, 60, 3599, 3600, 36_061].map(duration), [
    "0:00", "0:00", "0:07", "0:59", "1:00", "59:59", "1:00:00", "10:01:01",
  ]);
  assert.equal(share(0.666), "67%");
});

test("numbers are grouped the Russian way, other texts are left", () => {
  assert.deepEqual(["79161234567", "+79161234567", "89161234567", "88005553535"].map(phone), [
    "+7 916 123-45-67", "+7 916 123-45-67", "+7 916 123-45-67", "8 800 555-35-35",
  ]);
  assert.deepEqual(["101", "anonymous", "", null].map(phone), ["101", "anonymous", "", ""]);
});

test("a hostile caller's name becomes one short harmless line", () => {
  assert.equal(plain("a\u202Egnp.exe\r\nx\u0000y"), "a gnp.exe x y");
  assert.equal([...plain("я".repeat(10_000))].length, 80);
  assert.equal(plain("<img src=x onerror=alert(1)>"), "<img src=x onerror=alert(1)>", "markup stays text");
  assert.equal(initials("Ольга  Ветрова"), "ОВ");
});

test("filters survive the address bar", () => {
  const filters = { ...noFilters(), groups: new Set(["2"]), queues: new Set(["a_b", "a&c"]), search: " Анна 7916 " };
  const back = fromQuery(toQuery(filters));
  assert.deepEqual(back, { ...filters, search: "Анна 7916" });
  assert.equal(isFiltering(back), true);
  assert.equal(isFiltering(fromQuery("")), false);
  assert.equal(toQuery(noFilters()), "");
});

test("search finds names by word and numbers by digits, however they are written", () => {
  assert.ok(found("вет ольга", ["Ольга Ветрова"], []));
  assert.ok(found("916 12", ["x"], ["79161234567"]));
  assert.ok(found("123-45", [""], ["79161234567"]));
  assert.ok(!found("ольга 555", ["Ольга"], ["79161234567"]));
  assert.ok(!found("1", ["Анна"], ["79161"]), "one digit is no search for a number");
});

const board = boardFromWire({
  status: { 1: { id: 1, kind: "available", label: "Доступен" }, 2: { id: 2, kind: "break", label: "Обед" } },
  manager: {
    a: { key: "a", title: "Анна", extension: "101", groups: [1], queues: ["q"], status: 1, paused: false, registration: "registered", activity: "free", calls: [] },
    b: { key: "b", title: "Борис", extension: "102", groups: [2], queues: [], status: 2, paused: true, registration: "registered", activity: "free", calls: [] },
  },
  queue: { q: { key: "q", title: "Продажи", groups: [1] } },
  call: { c: { key: "c", number: "79161234567", name: "", line: "8800", queue: "q", managers: [{ manager: "a" }], groups: [1], steps: [] } },
});

test("filters narrow by group, queue, line, state and search, all at once", () => {
  const person = (part) => ["a", "b"].filter((id) => seesManager({ ...noFilters(), ...part }, board.manager.get(id), board));
  assert.deepEqual(person({}), ["a", "b"]);
  assert.deepEqual(person({ groups: new Set(["2"]) }), ["b"]);
  assert.deepEqual(person({ queues: new Set(["q"]) }), ["a"]);
  assert.deepEqual(person({ states: new Set(["break"]) }), ["b"]);
  assert.deepEqual(person({ states: new Set(["break"]), search: "анна" }), []);
  const call = (part) => seesCall({ ...noFilters(), ...part }, board.call.get("c"), board);
  assert.ok(call({ search: "анна" }), "found by who talks");
  assert.ok(call({ search: "продажи" }), "found by queue");
  assert.ok(!call({ lines: new Set(["7495"]) }));
  assert.ok(!call({ groups: new Set(["2"]) }));
});

const link = { pbx: "main", state: "connected", simulated: false, since: 1_700_000_000, lag: 0, error: "", next_try: null, blind: [] };
const told = (parts, connection = { phase: "open" }, loaded = true) =>
  notices({ connection, links: parts.map((part) => ({ ...link, ...part })), now: 1_700_000_100, loaded, words: ru }).map((notice) => notice.key);

test("the band tells each trouble once, the gravest first, and nothing when all is well", () => {
  assert.deepEqual(told([{}]), []);
  assert.deepEqual(told([], { phase: "connecting", failures: 0 }, false), ["connecting"]);
  assert.deepEqual(told([{}], { phase: "lost", failures: 1, lostAt: 5 }), ["lost"]);
  assert.deepEqual(told([{}], { phase: "denied" }), ["denied"]);
  assert.deepEqual(told([{}], { phase: "lost", code: 4429, failures: 1, lostAt: 5 }), ["too-many"]);
  assert.deepEqual(told([]), ["no-pbx"]);
  assert.deepEqual(told([{ blind: [[1, 2, 1], [3, 4]] }]), ["blind:main"]);
  assert.deepEqual(told([{ blind: [[1, 2, 1]] }]), ["filled:main"]);
  assert.deepEqual(told([{ simulated: true, lag: 7, blind: [[1, 2]] }]), ["lag:main", "blind:main", "simulated:main"]);
  assert.deepEqual(told([{ state: "refused", simulated: true }]), ["pbx_refused:main", "simulated:main"]);
  for (const state of ["stale", "down", "orphaned", "connecting"]) assert.deepEqual(told([{ state }]), [`pbx_${state}:main`]);
});

test("an old picture is known to be old", () => {
  assert.equal(isOld({ connection: { phase: "open" }, links: [link] }), false);
  assert.equal(isOld({ connection: { phase: "lost" }, links: [link] }), true);
  for (const state of ["stale", "down", "refused", "orphaned"]) {
    assert.equal(isOld({ connection: { phase: "open" }, links: [{ ...link, state }] }), true);
  }
});
