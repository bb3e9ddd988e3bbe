package workshop.parcels;

import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.stereotype.Component;

/** Parcels in memory; they are gone when the service stops. Safe for many requests at once. */
@Component
public class ParcelStore {

    private final ConcurrentSkipListMap<Long, Parcel> parcels = new ConcurrentSkipListMap<>();
    private final AtomicLong lastId = new AtomicLong();

    public Parcel add(String recipient, String postcode, int weight) {
        Parcel parcel = new Parcel(lastId.incrementAndGet(), recipient, postcode, weight);
        parcels.put(parcel.id(), parcel);
        return parcel;
    }

    public Optional<Parcel> find(long id) {
        return Optional.ofNullable(parcels.get(id));
    }

    public Collection<Parcel> all() {
        return parcels.values();
    }
}
