#!/usr/bin/env bash
# The tests pass, and the new one fails in a copy of the project whose validation is switched off.
set -euo pipefail

cd ~/parcels 2>/dev/null || { echo "There is no folder ~/parcels. Begin with the first step."; exit 1; }
test=src/test/java/workshop/parcels/ParcelControllerTest.java
[[ -f $test ]] || { echo "$test is missing. Copy this step's files."; exit 1; }
grep -q 'void refusesAParcelWithoutRecipient' "$test" || { echo "The test refusesAParcelWithoutRecipient is not written yet."; exit 1; }
if ! log=$(mvn -B test 2>&1); then
    echo "The tests do not pass:"
    grep -m 3 'ERROR' <<<"$log" || tail -n 5 <<<"$log"
    exit 1
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r pom.xml src "$copy"
cd "$copy"
sed -i 's/@Valid //' src/main/java/workshop/parcels/ParcelController.java
if mvn -q -B test -Dtest='ParcelControllerTest#refusesAParcelWithoutRecipient' >log.txt 2>&1; then
    echo "Your test also passes when @Valid is taken out, so it does not notice a switched-off validation. What does it expect?"
    exit 1
elif ! grep -q 'Status expected\|No value at JSON path\|JSON path' log.txt; then
    echo "With @Valid taken out, the build fails for another reason than your test:"
    grep -m 3 'ERROR' log.txt
    exit 1
fi
echo "The tests pass, and the new one notices when validation is off."
