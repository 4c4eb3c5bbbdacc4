/* The band: what is wrong with the picture, in sentences. Order = gravity; one fact, one sentence.
   Pure: connection, links and the time in; notices {key, tone, icon, text, note, action} out. */
import { plain } from "./format.js";
import { CLOSE_TOO_MANY } from "./socket.js";

export const LAG_WORTH_SAYING = 5;

export function notices({ connection, links, now, loaded, words }) {
  const { t } = words;
  const said = [];
  said.push(...connectionNotice(connection, loaded, words));
  if (loaded && links.length === 0) said.push({ key: "no-pbx", tone: "warn", icon: "offline", text: t("band.no_pbx") });
  for (const link of links) said.push(...linkNotices(link, links.length > 1, now, words));
  const weight = { alarm: 0, warn: 1, info: 2 };
  return said.sort((a, b) => weight[a.tone] - weight[b.tone]);
}

function connectionNotice(connection, loaded, { t, time }) {
  if (connection.phase === "denied") {
    return [{ key: "denied", tone: "alarm", icon: "alarm", text: t("band.denied"), action: "signin" }];
  }
  if (connection.phase === "connecting" && !loaded && !connection.failures) {
    return [{ key: "connecting", tone: "info", icon: "connecting", text: t("band.connecting") }];
  }
  if (connection.phase === "lost" || (connection.phase === "connecting" && connection.failures)) {
    if (connection.code === CLOSE_TOO_MANY) {
      const note = t("band.retrying");
      return [{ key: "too-many", tone: "alarm", icon: "alarm", text: t("band.too_many"), note, action: "retry" }];
    }
    const text = loaded ? t("band.lost_since", { time: time(connection.lostAt) }) : t("band.lost");
    return [{ key: "lost", tone: "alarm", icon: "offline", text, note: t("band.retrying"), action: "retry" }];
  }
  return [];
}

function linkNotices(link, several, now, { t, time }) {
  const pbx = several ? t("band.pbx_named", { pbx: plain(link.pbx, 40) }) : t("band.pbx");
  const since = { pbx, time: time(link.since) };
  const reason = link.error ? t("band.reason", { reason: plain(link.error, 200) }) : "";
  const next = link.next_try && link.next_try > now ? t("band.next_try", { time: time(link.next_try) }) : "";
  const note = [reason, next].filter(Boolean).join(" ");
  const said = [];
  const say = (state, tone, icon, more = "") =>
    said.push({ key: `${state}:${link.pbx}`, tone, icon, text: t(`band.${state}`, since), note: more });

  if (link.state === "connecting") say("pbx_connecting", "warn", "connecting", note);
  if (link.state === "stale") say("pbx_stale", "alarm", "stale", note);
  if (link.state === "down") say("pbx_down", "alarm", "offline", note);
  if (link.state === "refused") say("pbx_refused", "alarm", "alarm", note);
  if (link.state === "orphaned") say(link.since ? "pbx_orphaned" : "pbx_never", "alarm", "offline", note);
  if (link.state === "connected" && link.lag > LAG_WORTH_SAYING) {
    const text = t("band.lag", { pbx, n: Math.round(link.lag) });
    said.push({ key: `lag:${link.pbx}`, tone: "warn", icon: "stale", text });
  }
  const spans = (windows) =>
    windows
      .slice(-3)
      .map(([from, until]) => `${time(from)}–${until ? time(until) : t("band.until_now")}`)
      .join(", ");
  const missing = (link.blind ?? []).filter(([, , filled]) => !filled);
  const filled = (link.blind ?? []).filter(([, , done]) => done);
  if (missing.length) {
    const text = t("band.incomplete", { pbx, windows: spans(missing) });
    said.push({ key: `blind:${link.pbx}`, tone: "warn", icon: "incomplete", text, note: t("band.incomplete_note") });
  } else if (filled.length) {
    const text = t("band.filled", { pbx, windows: spans(filled) });
    said.push({ key: `filled:${link.pbx}`, tone: "info", icon: "info", text, note: t("band.filled_note") });
  }
  if (link.simulated) {
    said.push({ key: `simulated:${link.pbx}`, tone: "info", icon: "simulated", text: t("band.simulated", since) });
  }
  return said;
}

/* Is what one sees possibly old? Then timers stand still and the picture pales. */
export function isOld({ connection, links }) {
  return connection.phase !== "open" || links.some((link) => ["stale", "down", "refused", "orphaned"].includes(link.state));
}
