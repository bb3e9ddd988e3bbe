package workshop.parcels;

import java.net.URI;
import java.util.Collection;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** The HTTP face of the parcel desk. */
@RestController
@RequestMapping("/api/parcels")
public class ParcelController {

    private final ParcelStore store;

    public ParcelController(ParcelStore store) {
        this.store = store;
    }

    @GetMapping
    public Collection<Parcel> list() {
        return store.all();
    }

    @GetMapping("/{id}")
    public ResponseEntity<Parcel> show(@PathVariable long id) {
        return ResponseEntity.of(store.find(id));
    }

    @PostMapping
    public ResponseEntity<Parcel> accept(@RequestBody ParcelRequest request) {
        Parcel parcel = store.add(request.recipient(), request.postcode(), request.weight());
        return ResponseEntity.created(URI.create("/api/parcels/" + parcel.id())).body(parcel);
    }
}
