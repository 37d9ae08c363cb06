/** Why there are no captions, or why nobody can speak. */
export class CaptionsError extends Error {
  name = "CaptionsError";

  /**
   * @param {string} code of the protocol's table of refusals, or `microphone`, or `unreachable`
   * @param {string} message what happened and what to do, for people
   * @param {number | null} [retryAfter] seconds
   */
  constructor(code, message, retryAfter = null) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** @param {import("./messages.js").Refusal} refusal */
  static of({ code, message, retry_after: retryAfter }) { return new CaptionsError(code, message, retryAfter ?? null); }
}
