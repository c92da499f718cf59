// SPDX-License-Identifier: Apache-2.0
/** From an analysis to what is drawn: plain functions, no page. */

const LIKELY = 0.5;

/** Facts for playing: the length of a frame, and where the video's clock begins. */
export function clockOf(result) {
  const [frames, seconds] = result.frame_rate ?? [25, 1];
  return { frameSeconds: frames ? seconds / frames : 0.04, isVariable: Boolean(result.is_vfr), startSeconds: result.start_seconds ?? 0 };
}

/** Scenes with their number and best tag; the whole video if scenes were not requested. */
export function scenesOf(result) {
  const whole = { start_seconds: result.start_seconds, end_seconds: result.start_seconds + result.duration_seconds, tags: result.tags, caption: result.caption };
  const shots = result.shots?.length ? result.shots : [whole];
  return shots.map((shot, index) => ({
    index, start: shot.start_seconds, end: shot.end_seconds, tag: shot.tags?.[0] ?? null,
    tags: shot.tags ?? [], caption: shot.caption, isWhole: !result.shots?.length,
  }));
}

/** Tags over all scenes: the best probability, the seconds in which the tag is likely, and since when. */
export function tagsOf(scenes, most = 8) {
  const found = new Map();
  for (const scene of scenes) {
    for (const { text, probability } of scene.tags) {
      const tag = found.get(text) ?? { text, probability: 0, seconds: 0, start: scene.start };
      if (probability > tag.probability) Object.assign(tag, { probability, start: scene.start });
      if (probability >= LIKELY) tag.seconds += scene.end - scene.start;
      found.set(text, tag);
    }
  }
  const all = [...found.values()].sort((a, b) => b.seconds - a.seconds || b.probability - a.probability);
  const likely = all.filter((tag) => tag.seconds > 0);
  return (likely.length ? likely : all.slice(0, 3)).slice(0, most);
}

/** Neighbours with the same text become one span. */
function joined(spans) {
  const out = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last && last.text === span.text && span.start - last.end < 0.001) last.end = span.end;
    else out.push({ ...span });
  }
  return out;
}

/** Lanes below the scenes: {name, title, spans: [{start, end, text, note}]}; empty ones are left out. */
export function lanesOf(result, scenes) {
  const tags = scenes.filter((scene) => scene.tag).map(({ start, end, tag }) => ({ start, end, text: tag.text, weight: tag.probability }));
  const captions = scenes.filter((scene) => scene.caption).map(({ start, end, caption }) => ({ start, end, text: caption.text, weight: caption.probability }));
  const described = (result.descriptions ?? []).map((item) => ({ start: item.start_seconds, end: item.end_seconds, text: item.text }));
  const screen = (result.captions ?? []).map((item) => ({ start: item.start_seconds, end: item.end_seconds, text: item.text.replace(/\n/g, " / "), weight: item.confidence }));
  const lanes = [
    { name: "tag", title: "Tags", spans: joined(tags) },
    { name: "caption", title: "Captions", spans: joined(captions) },
    { name: "describe", title: "Descriptions", spans: described },
    { name: "screen", title: "Text on screen", spans: screen },
  ];
  const objects = (result.objects?.labels_on_screen ?? []).map(({ label, intervals }) => {
    const spans = intervals.map((item) => ({ start: item.start_seconds, end: item.end_seconds, text: label }));
    return { name: "object", title: label, spans, seconds: spans.reduce((sum, span) => sum + span.end - span.start, 0) };
  });
  lanes.push(...objects.sort((a, b) => b.seconds - a.seconds));
  return lanes.filter((lane) => lane.spans.length);
}

/** Boxes on the frame that the detector saw nearest before a time; none if that is too long ago. */
export function boxesAt(result, seconds) {
  const times = result.objects?.frame_timestamps_seconds ?? [];
  let at = -1;
  for (let low = 0, high = times.length - 1; low <= high;) {
    const middle = (low + high) >> 1;
    if (times[middle] <= seconds + 1e-4) { at = middle; low = middle + 1; } else high = middle - 1;
  }
  if (at < 0 || seconds - times[at] > 0.7) return [];
  return result.objects.detections.filter((item) => Math.abs(item.timestamp_seconds - times[at]) < 1e-4);
}

/** Times for a ruler: about one mark each 90 px. */
export function marksOf(start, duration, widthPx) {
  const wanted = duration / Math.max(2, widthPx / 90);
  const step = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((size) => size >= wanted) ?? 7200;
  const marks = [];
  for (let time = Math.ceil(start / step) * step; time < start + duration - step * 0.25; time += step) marks.push(time);
  return { marks, digits: step < 1 ? 1 : 0 };
}
