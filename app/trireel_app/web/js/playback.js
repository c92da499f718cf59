// SPDX-License-Identifier: Apache-2.0
/** Which frame is on screen, and seeking to exactly one frame.

A browser shows the last frame whose PTS is not after `currentTime`, and it rounds `currentTime`. So a
seek to a frame's own PTS may show the frame before it. We seek to the middle of the frame instead,
and read from `requestVideoFrameCallback` which frame is really there. */

const FIRST_FRAME_MS = 1500;

export class Playback {
  constructor({ frameSeconds, isVariable, startSeconds }) {
    this.seconds = startSeconds; // PTS of the frame on screen, on the video's own clock
    this.element = null;
    this.listeners = new Set();
    this.frameSeconds = frameSeconds;
    // With a variable rate the next frame may come soon: only step over the rounding.
    this.inside = isVariable ? Math.min(0.001, frameSeconds / 2) : frameSeconds / 2;
    this.startSeconds = startSeconds;
    this.shift = null; // browser's clock minus the video's own
    this.wanted = null;
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
    // Without a first frame in time we trust the browser's clock.
    const timer = setTimeout(() => { if (this.shift == null) this.#calibrate(this.startSeconds); }, FIRST_FRAME_MS);
    watch();
    element.addEventListener("timeupdate", fallback);
    return () => {
      current = false;
      clearTimeout(timer);
      element.cancelVideoFrameCallback?.(handle);
      element.removeEventListener("timeupdate", fallback);
    };
  }

  #calibrate(firstMediaTime) {
    const shift = firstMediaTime - this.startSeconds;
    this.shift = Math.abs(shift) < this.frameSeconds / 2 ? 0 : shift;
    if (this.wanted != null) this.seek(this.wanted);
  }

  #shown(mediaTime) {
    if (this.shift == null) this.#calibrate(mediaTime);
    const seconds = mediaTime - this.shift;
    const { wanted, element } = this;
    if (wanted != null && !element.seeking) {
      this.wanted = null;
      // One correction, for frames that are shorter or longer than the rate says.
      if (element.paused && Math.abs(seconds - wanted) > this.inside) element.currentTime = wanted + this.shift + 0.0005;
    }
    this.seconds = seconds;
    this.listeners.forEach((listener) => listener(seconds));
  }

  /** Show exactly the frame with a PTS. */
  seek(seconds) {
    this.wanted = seconds;
    if (!this.element || this.shift == null) return;
    this.element.currentTime = seconds + this.shift + this.inside;
    if (!this.element.paused) this.wanted = null;
  }

  /** Show a time, whatever frame that is. */
  scrub(seconds) {
    this.wanted = null;
    if (this.element && this.shift != null) this.element.currentTime = seconds + this.shift;
  }

  step(frames) {
    this.element?.pause();
    this.seek(this.seconds + frames * this.frameSeconds);
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
