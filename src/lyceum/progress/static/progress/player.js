/*
 * Remembers what a learner really watched, and where.
 *
 * The template progress/_player.html carries everything this file needs in data attributes. The rules:
 *
 *  - Only media time that was played counts: a step of the playback position is believed if no seek lies in it and if it
 *    is no longer than the time that has passed, at a speed of at most data-max-rate.
 *  - A report holds everything played since the page was opened, merged. A later report therefore replaces an earlier
 *    one, and one waiting report a page is all that ever has to be kept.
 *  - A report is written to localStorage before it is sent, and removed when the server has answered for that very
 *    report. It is sent again on load, when the network returns, and with growing pauses.
 *  - Time is the server's: a position is dated by the signed token plus the time that a monotonic clock counted since.
 *    That clock may stand still while a laptop sleeps, which dates a position too early and never too late; a sleep is
 *    noticed, and what follows gets a new token.
 *
 * Without localStorage (a private window) reports wait in memory.
 */
(() => {
  "use strict";

  const REPORT_EVERY = 10_000; // ms between reports while playing
  const RETRY_FIRST = 5_000;
  const RETRY_LAST = 300_000;
  const SLEPT = 3_000; // ms by which the wall clock may run ahead of the monotonic one unnoticed
  const MAX_RANGES = 150; // a report may hold 200 stretches; before that, a new one is begun
  const MAX_WAITING = 30; // reports kept for one learner in this browser
  const PREFIX = "lyceum.progress.";
  const MAX_RENEWALS = 4; // failed attempts to get the media going again
  const OFFLINE = "Your progress is kept on this device and will be sent when you are back online.";
  const SIGNED_OUT = "You are signed out. Sign in again to save your progress; it is kept on this device.";
  const UNSAVED = "Your progress cannot be saved just now. It is kept on this device and will be sent again.";

  const round = (seconds) => Math.round(seconds * 1000) / 1000;

  function clockText(seconds) {
    const whole = Math.floor(seconds);
    const two = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(whole / 60);
    return minutes < 60
      ? `${minutes}:${two(whole % 60)}`
      : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
  }

  function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /* The union of what was played: [start, end] pairs in seconds, sorted, apart from each other. */
  class Ranges {
    constructor() {
      this.list = [];
    }

    add(start, end) {
      if (!(end > start)) return;
      const apart = [];
      for (const [from, to] of this.list) {
        if (to < start || from > end) apart.push([from, to]);
        else {
          start = Math.min(start, from);
          end = Math.max(end, to);
        }
      }
      apart.push([start, end]);
      this.list = apart.sort((one, other) => one[0] - other[0]);
    }

    rounded() {
      return this.list.map(([start, end]) => [round(start), round(end)]);
    }
  }

  /* Reports that wait, one a key: other tabs of the same learner can send them, and only write their own. */
  class Outbox {
    constructor(user) {
      this.prefix = `${PREFIX}${user}.`;
      this.memory = new Map();
      try {
        localStorage.setItem(`${PREFIX}probe`, "1");
        localStorage.removeItem(`${PREFIX}probe`);
        this.disk = localStorage;
      } catch {
        this.disk = null;
      }
    }

    keep(name, report) {
      const text = JSON.stringify({ kept_at: Date.now(), report });
      this.memory.delete(name);
      if (this.disk) {
        try {
          this.disk.setItem(this.prefix + name, text);
          this.tidy();
          return;
        } catch {
          /* the disk is full: memory has to do */
        }
      }
      this.memory.set(name, text);
    }

    all() {
      const texts = new Map(this.memory);
      if (this.disk) {
        for (let index = 0; index < this.disk.length; index += 1) {
          const key = this.disk.key(index);
          if (key.startsWith(this.prefix)) texts.set(key.slice(this.prefix.length), this.disk.getItem(key));
        }
      }
      const waiting = [];
      for (const [name, text] of texts) {
        try {
          const { kept_at: keptAt, report } = JSON.parse(text);
          if (report.report_id) waiting.push({ name, keptAt, report });
          else this.forget(name);
        } catch {
          this.forget(name);
        }
      }
      return waiting.sort((one, other) => one.keptAt - other.keptAt);
    }

    tidy() {
      for (const { name } of this.all().slice(0, -MAX_WAITING)) this.forget(name);
    }

    /* Removes a report, unless a newer one took its place meanwhile. */
    acknowledge(name, reportId) {
      const now = this.all().find((one) => one.name === name);
      if (now && now.report.report_id === reportId) this.forget(name);
    }

    forget(name) {
      this.memory.delete(name);
      if (this.disk) this.disk.removeItem(this.prefix + name);
    }
  }

  class Player {
    constructor(root) {
      this.root = root;
      this.video = root.querySelector("video");
      this.status = root.querySelector("[data-player-status]");
      this.watched = root.querySelector("[data-player-watched]");
      this.restart = root.querySelector("[data-player-restart]");
      const data = root.dataset;
      this.lesson = data.lesson;
      this.duration = Number(data.duration);
      this.maxRate = Number(data.maxRate);
      this.outbox = new Outbox(data.user);
      this.anchor = { token: data.token, at: performance.now() };
      this.drift = this.clockDrift();
      this.stale = false; // the anchor dates too early: the page slept, or came from a cache
      this.renewingAnchor = null;

      this.page = randomId();
      this.ranges = new Ranges();
      this.last = null; // { media, wall } where playing was last seen
      this.place = Number(data.resume) || 0; // the position never to lose, in seconds
      this.placeAt = { token: data.token, elapsed: 0 }; // when it was taken
      this.resumedAt = this.place;
      this.waitingPlace = this.place; // where to go once the media can be sought
      this.ownSeek = this.place > 0;
      this.touched = false; // the learner played or sought
      this.dirty = false; // something happened since the last report was made
      this.sending = null;
      this.retryAfter = RETRY_FIRST;
      this.retryTimer = 0;
      this.reportedAt = 0;

      this.mediaMessage = ""; // what is shown: the first of these that is not empty
      this.notice = "";
      this.where = "";

      this.mediaExpires = performance.now() + Number(data.mediaSeconds) * 1000;
      this.renewals = 0;
      this.renewing = null;
      this.wantsToPlay = false;

      this.listen();
      if (this.video.readyState >= HTMLMediaElement.HAVE_METADATA) this.onMetadata();
      if (this.video.error) this.onMediaError();
      this.begin();
    }

    listen() {
      const on = (name, listener) => this.video.addEventListener(name, listener);
      on("loadedmetadata", () => this.onMetadata());
      on("play", () => this.onPlay());
      on("playing", () => this.onPlaying());
      on("timeupdate", () => this.step());
      on("ratechange", () => this.step());
      on("waiting", () => this.step());
      on("seeking", () => this.onSeeking());
      on("seeked", () => this.onSeeked());
      on("pause", () => this.onPause());
      on("ended", () => this.onEnded());
      on("error", () => this.onMediaError());
      this.restart.addEventListener("click", () => this.onRestart());
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "hidden") this.leave();
        else {
          this.wake();
          this.send();
        }
      });
      window.addEventListener("pagehide", () => this.leave());
      window.addEventListener("pageshow", (event) => {
        if (event.persisted) this.stale = true;
      });
      window.addEventListener("online", () => {
        this.retryAfter = RETRY_FIRST;
        this.send();
        if (this.video.error) {
          this.renewals = 0;
          this.onMediaError();
        }
      });
      window.addEventListener("offline", () => this.tell(OFFLINE));
      setInterval(() => this.tick(), 1_000);
    }

    /* What an earlier page could not send may be newer than what this page was told. */
    async begin() {
      this.sayWhere();
      const mine = this.outbox.all().filter((one) => one.report.lesson_id === this.lesson);
      const newest = mine[mine.length - 1];
      if (newest) this.goTo(newest.report.position);
      const [navigation] = performance.getEntriesByType("navigation");
      const fromCache = navigation && (navigation.type === "back_forward" || navigation.transferSize === 0);
      if (this.outbox.all().length) await this.send();
      if (newest || fromCache) await this.renewAnchor({ resume: true });
    }

    // --- what is really played ------------------------------------------------------------------

    onMetadata() {
      if (this.waitingPlace > 0) {
        this.ownSeek = true;
        this.video.currentTime = Math.min(this.waitingPlace, this.video.duration || this.waitingPlace);
      } else {
        this.ownSeek = false;
      }
      this.waitingPlace = 0;
    }

    onPlay() {
      if (performance.now() > this.mediaExpires - 60_000) this.renewMedia();
    }

    onPlaying() {
      this.renewals = 0;
      this.last = { media: this.video.currentTime, wall: performance.now() };
      if (this.mediaMessage) {
        this.mediaMessage = "";
        this.show();
      }
    }

    /* Takes the step from where playing was last seen to here, if it was played. */
    step() {
      const { video } = this;
      const media = video.currentTime;
      const wall = performance.now();
      const { last } = this;
      if (video.seeking || this.waitingPlace || video.readyState < HTMLMediaElement.HAVE_METADATA) return;
      if (last && media > last.media) {
        const possible = ((wall - last.wall) / 1000) * this.maxRate + 0.5;
        if (media - last.media <= possible && video.playbackRate <= this.maxRate) {
          this.ranges.add(Math.min(last.media, this.duration), Math.min(media, this.duration));
        }
        this.moved(media);
      }
      this.last = video.paused && !video.ended ? null : { media, wall };
    }

    /* The element is already at its new place; what was played before it has been taken up to the last step. */
    onSeeking() {
      this.last = null;
    }

    onSeeked() {
      const own = this.ownSeek;
      this.ownSeek = false;
      this.last = this.video.paused ? null : { media: this.video.currentTime, wall: performance.now() };
      if (!own) this.moved(this.video.currentTime);
    }

    onPause() {
      this.step();
      this.last = null;
      if (this.touched && !this.video.error) this.report();
    }

    onEnded() {
      this.step();
      // The last moments of a file may be a little shorter or longer than its lesson says.
      const { list } = this.ranges;
      const final = list[list.length - 1];
      if (final && this.duration - final[1] < 2 && this.video.currentTime - final[1] < 0.5) {
        this.ranges.add(final[1], this.duration);
      }
      this.moved(this.duration);
      this.report();
    }

    onRestart() {
      this.restart.hidden = true;
      this.where = "";
      this.ownSeek = false;
      if (this.video.readyState >= HTMLMediaElement.HAVE_METADATA) this.video.currentTime = 0;
      this.waitingPlace = 0;
      this.moved(0);
      this.show();
      this.video.focus();
    }

    moved(place) {
      this.touched = true;
      this.dirty = true;
      this.place = Math.max(0, Math.min(place, this.duration));
      this.placeAt = { token: this.anchor.token, elapsed: Math.max(0, performance.now() - this.anchor.at) };
      if (this.where && Math.abs(this.place - this.resumedAt) > 10) {
        // long enough under way to know
        this.where = "";
        this.restart.hidden = true;
        this.show();
      }
    }

    goTo(place) {
      if (this.touched) return;
      const start = place >= this.duration - 5 ? 0 : place;
      this.place = start;
      if (this.video.readyState >= HTMLMediaElement.HAVE_METADATA) {
        this.ownSeek = true;
        this.video.currentTime = start;
      } else {
        this.waitingPlace = start;
      }
      this.sayWhere();
    }

    // --- reports --------------------------------------------------------------------------------

    tick() {
      this.wake();
      if (this.stale) this.renewAnchor();
      if (this.dirty && performance.now() - this.reportedAt >= REPORT_EVERY) this.report();
    }

    /* Puts what is known into the outbox; the newest report of a page replaces the one before. */
    save() {
      if (!this.dirty) return;
      this.dirty = false;
      this.reportedAt = performance.now();
      this.outbox.keep(this.page, {
        lesson_id: this.lesson,
        report_id: randomId(),
        token: this.placeAt.token,
        elapsed_ms: Math.floor(this.placeAt.elapsed),
        position: round(this.place),
        stretches: this.ranges.rounded(),
      });
      if (this.ranges.list.length > MAX_RANGES) {
        this.page = randomId();
        this.ranges = new Ranges();
      }
    }

    report() {
      this.save();
      return this.send();
    }

    /* The page may be gone in a moment: the request outlives it, and the outbox remembers it if it does not arrive. */
    leave() {
      if (!this.video.paused) this.step();
      this.save();
      this.send({ keepalive: true });
    }

    /* Sends what waits, one at a time; resolves when it has been tried. */
    send({ keepalive = false } = {}) {
      if (keepalive) {
        const own = this.outbox.all().find((one) => one.name === this.page);
        if (own) this.deliver(own, true);
        return Promise.resolve();
      }
      this.sending ||= this.sendAll().finally(() => {
        this.sending = null;
      });
      return this.sending;
    }

    async sendAll() {
      clearTimeout(this.retryTimer);
      const tried = new Set();
      let next = this.outbox.all()[0];
      while (next) {
        tried.add(next.report.report_id);
        if (!(await this.deliver(next, false))) {
          this.retryTimer = setTimeout(() => this.send(), this.retryAfter * (0.8 + 0.4 * Math.random()));
          this.retryAfter = Math.min(this.retryAfter * 2, RETRY_LAST);
          return;
        }
        next = this.outbox.all().find((one) => !tried.has(one.report.report_id));
      }
      this.retryAfter = RETRY_FIRST;
    }

    /* True when the server has answered for the report, be it that it refused it for good. */
    async deliver({ name, report }, keepalive) {
      let response;
      try {
        response = await this.post(this.root.dataset.reportsUrl, report, keepalive);
      } catch {
        this.tell(navigator.onLine ? UNSAVED : OFFLINE);
        return false;
      }
      const answer = await response.json().catch(() => ({}));
      if (response.ok) {
        this.outbox.acknowledge(name, report.report_id);
        this.tell("");
        if (report.lesson_id === this.lesson) {
          // Only a page's own token says when that page was opened.
          if (name === this.page) this.anchorAt(answer.token);
          this.showWatched(answer);
        }
        return true;
      }
      if (response.status === 401 || (response.status === 403 && answer.code !== "not-enrolled")) {
        this.tell(SIGNED_OUT);
        return false;
      }
      if (response.status >= 500 || response.status === 408 || response.status === 429) {
        this.tell(UNSAVED);
        return false;
      }
      this.outbox.acknowledge(name, report.report_id);
      this.tell(answer.detail || "");
      if (name === this.page) this.startAfresh();
      return true;
    }

    /* What the server refuses once it would refuse for ever: begin again with what is played from here on. */
    startAfresh() {
      this.page = randomId();
      this.ranges = new Ranges();
      this.renewAnchor();
    }

    post(url, body, keepalive = false) {
      const options = {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrfToken() },
        body: JSON.stringify(body),
        keepalive,
      };
      if (!keepalive) options.signal = AbortSignal.timeout(15_000);
      return fetch(url, options);
    }

    /* Signing in from another tab changes the cookie, so it goes before what the page was given. */
    csrfToken() {
      const name = `${this.root.dataset.csrfCookie}=`;
      const cookie = document.cookie.split("; ").find((one) => one.startsWith(name));
      return cookie ? decodeURIComponent(cookie.slice(name.length)) : this.root.dataset.csrfToken;
    }

    // --- the server's time ----------------------------------------------------------------------

    clockDrift() {
      return Date.now() - performance.now();
    }

    anchorAt(token) {
      if (!token) return;
      this.anchor = { token, at: performance.now() };
      this.stale = false;
      this.drift = this.clockDrift();
    }

    /* After a sleep: what was played before keeps its old date, what follows gets a new one. */
    wake() {
      const slept = this.clockDrift() - this.drift;
      if (slept < 0) this.drift += slept; // the wall clock was set back
      if (slept <= SLEPT) return;
      this.drift += slept;
      this.last = null;
      this.save();
      this.stale = true;
    }

    renewAnchor(options) {
      this.renewingAnchor ||= this.fetchAnchor(options).finally(() => {
        // After a sleep the network returns later than the page: not more often than every other second.
        setTimeout(() => {
          this.renewingAnchor = null;
        }, 2_000);
      });
      return this.renewingAnchor;
    }

    async fetchAnchor({ resume = false } = {}) {
      try {
        const response = await this.post(this.root.dataset.anchorsUrl, {
          lesson_id: this.lesson,
          token: this.anchor.token,
        });
        if (!response.ok) return;
        const answer = await response.json();
        this.anchorAt(answer.token);
        this.showWatched(answer);
        const waiting = this.outbox.all().some((one) => one.report.lesson_id === this.lesson);
        if (resume && !waiting && answer.position !== null) this.goTo(answer.position);
      } catch {
        /* the old anchor dates too early, which harms nobody */
      }
    }

    // --- the media's address --------------------------------------------------------------------

    onMediaError() {
      const { error } = this.video;
      if (!error || error.code === MediaError.MEDIA_ERR_ABORTED) return;
      if (this.renewals >= MAX_RENEWALS) {
        this.mediaMessage = "The video cannot be loaded just now. Your place is kept; reload the page to try again.";
        this.show();
        return;
      }
      this.mediaMessage = "The video is being loaded again…";
      this.show();
      this.renewals += 1;
      const pause = this.renewals === 1 ? 0 : 1_000 * 2 ** this.renewals;
      setTimeout(() => this.renewMedia(), pause);
    }

    /* Fetches a new address and goes on where playing was. */
    renewMedia() {
      this.renewing ||= this.fetchMedia().finally(() => {
        this.renewing = null;
      });
      return this.renewing;
    }

    async fetchMedia() {
      const { video } = this;
      const playing = !video.paused || this.wantsToPlay;
      try {
        const response = await fetch(this.root.dataset.mediaUrl, {
          credentials: "same-origin",
          signal: AbortSignal.timeout(15_000),
        });
        const answer = await response.json();
        if (response.status === 401 || response.status === 403 || response.status === 404) {
          this.mediaMessage = answer.detail || SIGNED_OUT;
          this.show();
          return;
        }
        if (!response.ok) throw new Error(`status ${response.status}`);
        const rate = video.playbackRate;
        const place = video.currentTime || this.waitingPlace || this.place;
        this.step();
        this.last = null;
        this.waitingPlace = place;
        this.mediaExpires = performance.now() + answer.expires_in * 1000;
        video.src = answer.url;
        video.load();
        video.playbackRate = rate;
        this.wantsToPlay = playing;
        if (playing) await video.play();
        this.wantsToPlay = false;
      } catch (problem) {
        if (problem.name === "NotAllowedError" || problem.name === "AbortError") return;
        if (video.error) this.onMediaError();
      }
    }

    // --- what is shown --------------------------------------------------------------------------

    sayWhere() {
      this.resumedAt = this.place;
      this.where = this.place > 0 ? `Resuming at ${clockText(this.place)}` : "";
      this.restart.hidden = !this.where;
      this.show();
    }

    tell(notice) {
      this.notice = notice;
      this.show();
    }

    show() {
      const text = this.mediaMessage || this.notice || this.where || "";
      if (this.status.textContent !== text) this.status.textContent = text;
    }

    showWatched(answer) {
      if (typeof answer.percent !== "number") return;
      const text = answer.completed ? "Completed" : answer.percent > 0 ? `${answer.percent}% watched` : "";
      if (this.watched.textContent.trim() !== text) this.watched.textContent = text;
      this.root.dispatchEvent(new CustomEvent("lyceum:progress", { bubbles: true, detail: answer }));
    }
  }

  for (const root of document.querySelectorAll("[data-player]")) new Player(root);
})();
