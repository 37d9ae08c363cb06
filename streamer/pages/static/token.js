// The token of the link that was opened.
export const token = new URLSearchParams(location.search).get("token");
