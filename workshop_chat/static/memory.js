// What the page remembers: cookies where the server draws by it, local storage for the rest. Both may be refused.

const NINETY_DAYS = 90 * 24 * 3600;

export function keepCookie(root, name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  const age = value ? NINETY_DAYS : 0;
  document.cookie = `${name}=${encodeURIComponent(value)}; path=${root || "/"}; max-age=${age}; samesite=lax${secure}`;
}

export function readCookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or refused: the page works on, and forgets this.
  }
}

export function recall(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
