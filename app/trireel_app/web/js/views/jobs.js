// SPDX-License-Identifier: Apache-2.0
import { api } from "../api.js";
import { ago, count } from "../format.js";
import { html, useEffect } from "../html.js";
import { Icon } from "../icons.js";
import { Empty, Notice, stageOf, State, useLoad } from "../parts/common.js";
import { toVideo } from "../route.js";
import { may, tell } from "../store.js";

const AGAIN_MS = 4000;
const ACTIVE = ["queued", "running"];

/** Jobs of the reader's key, with retry and cancel. */
export function Jobs() {
  const { value, error, again } = useLoad(() => api.jobs(), []);
  useEffect(() => {
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const act = (job, action) => api.job(job.id, action).then(again, (problem) => tell(problem.message));
  const jobs = value?.jobs;
  return html`<div class="page-head"><h1>Jobs</h1>${jobs?.length > 0 && html`<span class="soft">${count(jobs.length, "job")}</span>`}</div>
    ${error && html`<${Notice} bad>${error.message}<//>`}
    ${!value && !error && html`<div class="ghost table-ghost" role="status" aria-label="The jobs are loading"></div>`}
    ${jobs?.length === 0 && html`<${Empty} icon="jobs" title="No jobs yet"><p>Each video that you add becomes a job. You see here how far it is.</p><a class="button" href="#/">Go to the library</a><//>`}
    ${jobs?.length > 0 && html`<div class="panel table-scroll" tabindex="0"><table class="jobs">
      <thead><tr><th>Job</th><th>State</th><th>Begun</th><th>Progress</th><th><span class="visually-hidden">Actions</span></th></tr></thead>
      <tbody>${jobs.map((job) => html`<${Job} key=${job.id} job=${job} act=${act} />`)}</tbody></table></div>`}`;
}

function Job({ job, act }) {
  const active = ACTIVE.includes(job.state);
  return html`<tr>
    <td><a href=${toVideo(job.video)}>${job.name}</a><div class="mono small soft">${job.id}</div></td>
    <td><${State} state=${job.state} /></td>
    <td class="soft">${ago(job.created_at)}</td>
    <td class="soft small">${job.error ?? (active ? stageOf(job) : "")}</td>
    <td class="job-actions">${may("videos:write") && html`
      ${active && html`<button class="button slim" aria-label=${`Cancel ${job.name}`} onClick=${() => act(job, "cancel")}><${Icon} name="close" />Cancel</button>`}
      ${["failed", "cancelled"].includes(job.state) && html`<button class="button slim" aria-label=${`Try ${job.name} again`} onClick=${() => act(job, "retry")}><${Icon} name="retry" />Try again</button>`}`}</td>
  </tr>`;
}
