// SPDX-License-Identifier: Apache-2.0
/** Which frame is on screen, and seeking to exactly one frame.

A browser shows the last frame whose PTS is not after `currentTime`, and it rounds `currentTime`. So a
seek to a frame's own PTS may show the frame before it. We seek to the middle of the frame instead,
and read from `requestVideoFrameCallback` which frame is really there. If the rate varies, the frame's
length is not known, and browsers take it from the order of decoding: then we try again, nearer. */

const FIRST_FRAME_MS = 1500;
const SETTLE_MS = 120; // after a seek that shows the same frame as before, no callback comes
const EXACT_SECONDS = 0.001;
const MOST_TRIES = 10;

export class Playback {
  constructor({ frameSeconds, isVariable, startSeconds }) {
    this.seconds = startSeconds; // PTS of the frame on screen, on the video's own clock
    this.element = null;
    this.listeners = new Set();
    this.frameSeconds = frameSeconds;
    this.isVariable = isVariable;
    // With a variable rate the next frame may come soon: only step over the rounding.
    this.inside = isVariable ? Math.min(0.001, frameSeconds / 2) : frameSeconds / 2;
    this.startSeconds = startSeconds;
    this.shift = null; // browser's clock minus the video's own
    this.aim = null; // the frame to show, and how far behind its PTS we seek
  }

  /** Follow a video element; returns a function that lets it go. */
  attach(element) {
    this.element = element;
    this.shift = null;
    let handle, current = true;
    const watch = () => {
      handle = element.requestVideoFrameCallback?.((_, frame) => {
        if (!current) return;
        this.#shown(frame.mediaTime);
        watch();
      });
    };
    const fallback = () => {
      if (element.requestVideoFrameCallback) return;
      this.#shown(element.currentTime);
    };
    let settling, timer;
    // If data are there but no frame was shown, we trust the browser's clock.
    const loaded = () => {
      timer = setTimeout(() => this.shift ?? this.#calibrate(this.startSeconds), FIRST_FRAME_MS);
    };
    const seeked = () => {
      clearTimeout(settling);
      settling = setTimeout(() => this.#judge(), SETTLE_MS);
    };
    watch();
    element.addEventListener("timeupdate", fallback);
    element.addEventListener("seeked", seeked);
    element.addEventListener("loadeddata", loaded, { once: true });
    return () => {
      current = false;
      clearTimeout(timer);
      clearTimeout(settling);
      element.removeEventListener("seeked", seeked);
      element.removeEventListener("loadeddata", loaded);
      element.cancelVideoFrameCallback?.(handle);
      element.removeEventListener("timeupdate", fallback);
    };
  }

  #calibrate(firstMediaTime) {
    const shift = firstMediaTime - this.startSeconds;
    this.shift = Math.abs(shift) < this.frameSeconds / 2 ? 0 : shift;
    this.#go();
  }

  #shown(mediaTime) {
    if (this.shift == null) this.#calibrate(mediaTime);
    this.seconds = mediaTime - this.shift;
    this.#judge();
    this.listeners.forEach((listener) => listener(this.seconds));
  }

  /** Show exactly the frame with a PTS. */
  seek(seconds) {
    this.aim = { seconds, behind: this.inside, low: 0, high: null, tries: 0 };
    this.#go();
  }

  #go() {
    const { aim, element } = this;
    if (!aim || !element || this.shift == null) return;
    element.currentTime = aim.seconds + this.shift + aim.behind;
    if (!element.paused) this.aim = null;
  }

  /** After a seek: try again, farther or nearer, unless the right frame is there. */
  #judge() {
    const { aim, element } = this;
    if (!aim || this.shift == null || element.seeking) return;
    const miss = this.seconds - aim.seconds;
    if (Math.abs(miss) <= EXACT_SECONDS || aim.tries++ >= MOST_TRIES || !element.paused) {
      this.aim = null;
      return;
    }
    if (miss < 0) aim.low = aim.behind;
    else aim.high = aim.behind;
    aim.behind = aim.high == null ? aim.behind * 2 + 0.004 : (aim.low + aim.high) / 2;
    this.#go();
  }

  /** Show a time, whatever frame that is. */
  scrub(seconds) {
    this.aim = null;
    if (this.element && this.shift != null) this.element.currentTime = seconds + this.shift;
  }

  /** Go on by some frames; by their average length if the rate varies. */
  step(frames) {
    this.element?.pause();
    const seconds = this.seconds + frames * this.frameSeconds;
    if (this.isVariable) this.scrub(seconds);
    else this.seek(seconds);
  }

  toggle() {
    const { element } = this;
    if (element) element.paused ? element.play() : element.pause();
  }

  /** Call a listener with the PTS of each frame that is shown. */
  listen(listener) {
    this.listeners.add(listener);
    listener(this.seconds);
    return () => this.listeners.delete(listener);
  }
}
