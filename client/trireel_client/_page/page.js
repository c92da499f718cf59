"use strict";
const { start, duration, halfFrame } = document.body.dataset;
const video = document.querySelector("video");
const still = document.querySelector(".still");
const needle = document.querySelector(".needle");
const clock = document.querySelector(".clock");
const scenes = [...document.querySelectorAll(".card")];
const marked = [...document.querySelectorAll("[data-scene]")];

function clockText(seconds) {
  const hundredths = Math.round(seconds * 100);
  const part = String(hundredths % 100).padStart(2, "0");
  const whole = Math.floor(hundredths / 100);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${part}`;
}

function show(seconds) {
  const share = Math.min(Math.max((seconds - start) / duration, 0), 1);
  const track = document.querySelector(".track").getBoundingClientRect();
  const whole = document.querySelector(".timeline").getBoundingClientRect();
  needle.style.left = `${track.left - whole.left + share * track.width}px`;
  clock.textContent = clockText(seconds);
  const current = scenes.filter((card) => Number(card.dataset.seconds) <= seconds + 1e-6).pop();
  for (const element of marked) {
    element.classList.toggle("current", element.dataset.scene === current?.dataset.scene);
  }
}

// A player shows the frame before a time that lies on the edge of two frames: the middle is safe.
// Players count from the first frame, whatever its PTS is.
function go(seconds) {
  if (video) {
    video.currentTime = seconds - start + Number(halfFrame);
  }
  show(seconds);
  const picture = document.querySelector(".card.current img");
  if (still && picture) {
    still.src = picture.src;
  }
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-seconds]");
  if (target) {
    go(Number(target.dataset.seconds));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.target === video || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) {
    return;
  }
  const at = scenes.findIndex((card) => card.classList.contains("current"));
  const next = scenes[at + (event.key === "ArrowRight" ? 1 : -1)];
  if (next) {
    go(Number(next.dataset.seconds));
    event.preventDefault();
  }
});

video?.addEventListener("timeupdate", () => show(video.currentTime + Number(start)));
window.addEventListener("resize", () => show(video ? video.currentTime + Number(start) : Number(start)));
show(Number(start));
