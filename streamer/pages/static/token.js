// The token in the page's address.
export const token = new URLSearchParams(location.search).get("token");
