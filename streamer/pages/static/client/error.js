/** The reason why captions cannot be shown, or audio cannot be published. */
export class CaptionsError extends Error {
  name = "CaptionsError";

  /**
   * @param {string} code a code of the protocol's refusals, `microphone` or `unreachable`
   * @param {string} message explains to people what happened and what to do
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
