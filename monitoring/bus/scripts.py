"""The bus's atomic writes, as Lua: check the fencing token, write, publish — all of it or nothing.

Each begins with the same fence, so that a worker whose lease was taken over can change nothing at all.
"""

from __future__ import annotations

# Held: the lease says who owns the PBX. Not held (expired, flushed): a later token refuses an earlier one.
_FENCED = """
local function fenced(lease, fence, token)
  local held = redis.call('GET', lease)
  if held then
    return string.sub(held, 1, #token + 1) ~= token .. '|'
  end
  local last = redis.call('GET', fence)
  return last and tonumber(last) > tonumber(token)
end
local function now_us()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local function now_ms() return string.format('%.0f', math.floor(now_us() / 1000)) end
-- Lua's stack holds some 8,000 values, a board may have more.
local function in_chunks(command, key, from, to)
  local i = from
  while i <= to do
    local j = math.min(i + 1999, to)
    redis.call(command, key, unpack(ARGV, i, j))
    i = j + 1
  end
end
"""

# KEYS boards board lease fence; ARGV token pbx epoch at ttl channel frame-tail, then field value…
RESET = (
    _FENCED
    + """
if fenced(KEYS[3], KEYS[4], ARGV[1]) then return {'fenced', 0} end
redis.call('DEL', KEYS[2])
in_chunks('HSET', KEYS[2], 8, #ARGV)
redis.call('HSET', KEYS[1], ARGV[2] .. '.epoch', ARGV[3], ARGV[2] .. '.seq', 1, ARGV[2] .. '.at', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[6], '{"s":1,' .. ARGV[7])
return {'ok', 1}
"""
)

# KEYS boards board lease fence
# ARGV token pbx epoch at ttl channel frame-tail n-of-set-args, set args…, removed fields…
PUBLISH = (
    _FENCED
    + """
if fenced(KEYS[3], KEYS[4], ARGV[1]) then return {'fenced', 0} end
if redis.call('HGET', KEYS[1], ARGV[2] .. '.epoch') ~= ARGV[3] then return {'lost', 0} end
local last = 8 + tonumber(ARGV[8])
in_chunks('HSET', KEYS[2], 9, last)
in_chunks('HDEL', KEYS[2], last + 1, #ARGV)
local seq = redis.call('HINCRBY', KEYS[1], ARGV[2] .. '.seq', 1)
redis.call('HSET', KEYS[1], ARGV[2] .. '.at', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[6], '{"s":' .. seq .. ',' .. ARGV[7])
return {'ok', seq}
"""
)

# KEYS boards board lease fence; ARGV token pbx channel frame-tail
FORGET = (
    _FENCED
    + """
if fenced(KEYS[3], KEYS[4], ARGV[1]) then return {'fenced', 0} end
redis.call('DEL', KEYS[2])
redis.call('HDEL', KEYS[1], ARGV[2] .. '.epoch', ARGV[2] .. '.seq', ARGV[2] .. '.at')
redis.call('PUBLISH', ARGV[3], '{"s":0,' .. ARGV[4])
return {'ok', 0}
"""
)

# KEYS links lease fence, then boards of each company
# ARGV token pbx link-json ttl, then the epoch expected for each company
HEARTBEAT = (
    _FENCED
    + """
if fenced(KEYS[2], KEYS[3], ARGV[1]) then return {'fenced'} end
redis.call('HSET', KEYS[1], ARGV[2], now_ms() .. '|' .. ARGV[3])
local lost = {'ok'}
for i = 4, #KEYS do
  if redis.call('HGET', KEYS[i], ARGV[2] .. '.epoch') == ARGV[i + 1] then
    redis.call('EXPIRE', KEYS[i], ARGV[4])
    lost[#lost + 1] = 0
  else
    lost[#lost + 1] = 1
  end
end
return lost
"""
)

# KEYS lease fence; ARGV owner ttl-ms. The token is at least the clock, so that it also grows over a FLUSHALL.
ACQUIRE = (
    _FENCED
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(now_us(), last + 1))
redis.call('SET', KEYS[1], token .. '|' .. ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], token)
return token
"""
)

# KEYS lease fence; ARGV token owner ttl-ms. A lease that vanished (flush, pause) comes back if nobody had it.
RENEW = (
    _FENCED
    + """
if fenced(KEYS[1], KEYS[2], ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""
)

# KEYS lease; ARGV token owner
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] .. '|' .. ARGV[2] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS workers; ARGV owner ttl-ms
ANNOUNCE = (
    _FENCED
    + """
local now = now_us() / 1000
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now))
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
)

# KEYS commands bell; ARGV json deadline-ms limit company's-limit company's-mark
SEND = (
    _FENCED
    + """
local waiting = redis.call('LLEN', KEYS[1])
if waiting >= tonumber(ARGV[3]) then return 0 end
if waiting >= tonumber(ARGV[4]) then
  local own = 0
  for _, item in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    if string.find(item, ARGV[5], 1, true) then own = own + 1 end
  end
  if own >= tonumber(ARGV[4]) then return 0 end
end
local deadline = string.format('%.0f', math.floor(now_us() / 1000) + tonumber(ARGV[2]))
redis.call('RPUSH', KEYS[1], deadline .. '|' .. ARGV[1])
redis.call('EXPIRE', KEYS[1], 3600)
redis.call('DEL', KEYS[2])
redis.call('RPUSH', KEYS[2], '1')
redis.call('EXPIRE', KEYS[2], 60)
return 1
"""
)

# KEYS commands lease fence; ARGV token count. Popped and gone: a command is handed out at most once.
TAKE = (
    _FENCED
    + """
if fenced(KEYS[2], KEYS[3], ARGV[1]) then return {'fenced'} end
local taken = {'ok', now_ms()}
for _ = 1, tonumber(ARGV[2]) do
  local item = redis.call('LPOP', KEYS[1])
  if not item then break end
  taken[#taken + 1] = item
end
return taken
"""
)
