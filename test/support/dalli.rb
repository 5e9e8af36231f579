# A program that uses a cache as the site does: Dalli with its defaults, one session after the other.
# Usage: dalli.rb RING NAME SESSIONS SEEN    (HUP: read the ring anew; SEEN: a file that gets what was seen, as JSON)

require "dalli"
require "json"

ring, name, sessions, seen_file = ARGV
connect = -> { Dalli::Client.new(File.readlines(ring, chomp: true)) }
client = connect.call
again = false
trap("HUP") { again = true }

seen = Hash.new(0)
last = {}
(0..).each do |turn|
  if again
    again = false
    client.close
    client = connect.call
  end
  key = "#{name}:#{turn % sessions.to_i}"
  begin
    found = client.get(key)
    seen["gets"] += 1
    seen[found.nil? ? "misses" : "old"] += 1 if last[key] && found != last[key]
    value = "#{turn}#{'x' * 200}"
    last[key] = value if client.set(key, value, 3600)
  rescue StandardError => e
    seen["errors"] += 1
    seen[e.class.name] += 1
  end
  if (turn % 20).zero?
    File.write("#{seen_file}.new", JSON.dump(seen))
    File.rename("#{seen_file}.new", seen_file)
  end
  sleep 0.004
end
